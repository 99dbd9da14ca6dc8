"""Signing in and out, and how a visitor likes to read."""

from __future__ import annotations

import math

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromQuery, SkipValidation
from litestar.response import Redirect

from tekil.api.routes import StoreHere
from tekil.console.forms import FormHere, inner_path
from tekil.console.language import LANGUAGES
from tekil.console.limiter import Limiter
from tekil.console.pages import PagesHere, cookie, go
from tekil.console.visit import LANGUAGE, SESSION, THEME, THEMES, AnyRequest, VisitHere

LimiterHere = NamedDependency[SkipValidation[Limiter]]

YEAR_DAYS = 365


@get("/sign-in", include_in_schema=False, sync_to_thread=True)
def show_sign_in(visit: VisitHere, pages: PagesHere, next: FromQuery[str] = "/") -> Response[str] | Redirect:
    """Show the form; somebody who is signed in goes on."""
    if visit.user is not None:
        return go(inner_path(next))
    return pages.show(visit, "sign_in.html", next=inner_path(next), name="", refusal="")


@post("/sign-in", include_in_schema=False, sync_to_thread=True)
def sign_in(
    visit: VisitHere,
    form: FormHere,
    pages: PagesHere,
    store: StoreHere,
    limiter: LimiterHere,
) -> Response[str] | Redirect:
    """Start a session for the right password; too many wrong ones must wait."""
    name, goal = form.one("name"), inner_path(form.one("next"))
    who = f"{visit.address} {name}"
    wait = limiter.wait(who)
    if wait > 0:
        refusal = visit.words("sign_in.wait", n=math.ceil(wait / 60))
        page = pages.show(visit, "sign_in.html", status=429, next=goal, name=name, refusal=refusal)
        page.headers["Retry-After"] = str(math.ceil(wait))
        return page
    token = store.users.sign_in(name.replace("\0", ""), form.secret("password"), visit.address)
    if token is None:
        limiter.fail(who)
        refusal = visit.words("sign_in.wrong")
        return pages.show(visit, "sign_in.html", status=403, next=goal, name=name, refusal=refusal)
    limiter.succeed(who)
    return go(goal, [cookie(visit, SESSION, token)])


@post("/sign-out", include_in_schema=False, sync_to_thread=True)
def sign_out(request: AnyRequest, visit: VisitHere, store: StoreHere) -> Redirect:
    """End the session."""
    store.users.sign_out(request.cookies.get(SESSION, ""), visit.address)
    return go("/sign-in", [Cookie(SESSION, value="", max_age=0, httponly=True, secure=visit.secure)])


@post("/preferences", include_in_schema=False, sync_to_thread=False)
def set_preferences(visit: VisitHere, form: FormHere) -> Redirect:
    """Keep the language or the theme somebody chose."""
    cookies = []
    if form.one("language") in LANGUAGES:
        cookies.append(cookie(visit, LANGUAGE, form.one("language"), YEAR_DAYS))
    if form.one("theme") in THEMES:
        cookies.append(cookie(visit, THEME, form.one("theme"), YEAR_DAYS))
    return go(inner_path(form.one("next")), cookies)


ROUTES = [show_sign_in, sign_in, sign_out, set_preferences]
"""These are for anybody: nobody can be asked to sign in before they can sign in."""
