"""Signing in and out, and how a visitor likes to read."""

from __future__ import annotations

import math

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromQuery
from litestar.response import Redirect

from tekil.api import FOR_ANYBODY, FOR_SIGNED_IN
from tekil.api.routes import StoreHere
from tekil.console.forms import FormHere, inner_path
from tekil.console.gate import is_fresh
from tekil.console.language import LANGUAGES
from tekil.console.pages import Pages, PagesHere, cookie, go
from tekil.console.visit import LANGUAGE, SESSION, THEME, THEMES, AnyRequest, Visit, VisitHere
from tekil.errors import BadRequest
from tekil.store.failures import Locked

YEAR_DAYS = 365


@get("/sign-in", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def show_sign_in(visit: VisitHere, pages: PagesHere, next: FromQuery[str] = "/") -> Response[str] | Redirect:
    """Show the form; somebody who is signed in goes on."""
    if visit.user is not None:
        return go(inner_path(next))
    return pages.show(visit, "sign_in.html", next=inner_path(next), name="", refusal="")


@post("/sign-in", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def sign_in(
    request: AnyRequest, visit: VisitHere, form: FormHere, pages: PagesHere, store: StoreHere
) -> Response[str] | Redirect:
    """Start a session for the right password; too many wrong ones must wait."""
    name, goal = form.one("name"), inner_path(form.one("next"))
    try:
        token = store.users.sign_in(name.replace("\0", ""), form.secret("password"), visit.address)
    except Locked as locked:
        return _locked(visit, pages, locked, "sign_in.html", next=goal, name=name)
    if token is None:
        refusal = visit.words("sign_in.wrong")
        return pages.show(visit, "sign_in.html", status=403, next=goal, name=name, refusal=refusal)
    # Whatever session the browser brought along is over, whoever's it was.
    store.sessions.end(request.cookies.get(SESSION, ""), visit.address)
    return go(goal, [cookie(visit, SESSION, token)])


def _locked(visit: Visit, pages: Pages, locked: Locked, template: str, **context: str) -> Response[str]:
    refusal = visit.words("sign_in.wait", n=math.ceil(locked.seconds / 60))
    page = pages.show(visit, template, status=429, refusal=refusal, **context)
    page.headers["Retry-After"] = str(math.ceil(locked.seconds))
    return page


@get("/second-factor", opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True)
def ask_second_factor(
    visit: VisitHere, pages: PagesHere, next: FromQuery[str] = "/"
) -> Response[str] | Redirect:
    """Ask for the code of the authenticator; somebody who showed one just now goes on."""
    if visit.user is None or not visit.user.has_second_factor or is_fresh(visit):
        return go(inner_path(next))
    return pages.show(visit, "second_factor.html", next=inner_path(next), refusal="")


@post("/second-factor", opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True)
def show_second_factor(
    visit: VisitHere, form: FormHere, pages: PagesHere, store: StoreHere
) -> Response[str] | Redirect:
    """Take the code; too many wrong ones must wait."""
    goal = inner_path(form.one("next"))
    try:
        store.second_factors.show(visit.actor.name, form.one("code"), visit.actor)
    except Locked as locked:
        return _locked(visit, pages, locked, "second_factor.html", next=goal)
    except BadRequest:
        refusal = visit.words("second_factor.wrong")
        return pages.show(visit, "second_factor.html", status=403, next=goal, refusal=refusal)
    if visit.session is not None:
        store.sessions.note_second_factor(visit.session.id)
    return go(goal)


@post("/sign-out", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def sign_out(request: AnyRequest, visit: VisitHere, store: StoreHere) -> Redirect:
    """End the session."""
    store.sessions.end(request.cookies.get(SESSION, ""), visit.address)
    return go("/sign-in", [Cookie(SESSION, value="", max_age=0, httponly=True, secure=visit.secure)])


@post("/preferences", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=False)
def set_preferences(visit: VisitHere, form: FormHere) -> Redirect:
    """Keep the language or the theme somebody chose."""
    cookies = []
    if form.one("language") in LANGUAGES:
        cookies.append(cookie(visit, LANGUAGE, form.one("language"), YEAR_DAYS))
    if form.one("theme") in THEMES:
        cookies.append(cookie(visit, THEME, form.one("theme"), YEAR_DAYS))
    return go(inner_path(form.one("next")), cookies)


ROUTES = [show_sign_in, sign_in, ask_second_factor, show_second_factor, sign_out, set_preferences]
