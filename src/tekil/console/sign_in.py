"""Signing in and out, and how a visitor likes to read."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect

from tekil.api import FOR_ANYBODY, FOR_SIGNED_IN
from tekil.api.routes import StoreHere
from tekil.config import Config
from tekil.console.ceremonies import Ceremonies, CeremoniesHere
from tekil.console.entering import enter, explain, locked
from tekil.console.forms import FormHere, inner_path
from tekil.console.gate import is_fresh, must_have_passkey
from tekil.console.language import LANGUAGES
from tekil.console.pages import PagesHere, cookie, go
from tekil.console.providers import Providers, ProvidersHere, after_signing_out
from tekil.console.visit import DEVICE, LANGUAGE, SESSION, THEME, THEMES, AnyRequest, Visit, VisitHere
from tekil.errors import BadRequest
from tekil.store.failures import Locked

YEAR_DAYS = 365


@get("/sign-in", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def show_sign_in(
    visit: VisitHere,
    pages: PagesHere,
    ceremonies: CeremoniesHere,
    providers: ProvidersHere,
    next: FromQuery[str] = "/",
) -> Response[str] | Redirect:
    """Show the form; somebody who is signed in goes on."""
    if visit.user is not None:
        return go(inner_path(next))
    shown = _door(visit, ceremonies, providers, inner_path(next))
    return pages.show(visit, "sign_in.html", refusal="", **shown)


def _door(
    visit: Visit, ceremonies: Ceremonies, providers: Providers, goal: str, name: str = ""
) -> dict[str, Any]:
    """Return what the page offers: every way in."""
    asked = ceremonies.request(visit)
    return {"next": goal, "name": name, "passkey": asked, "providers": providers}


@post("/sign-in", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def sign_in(
    request: AnyRequest,
    visit: VisitHere,
    form: FormHere,
    pages: PagesHere,
    store: StoreHere,
    ceremonies: CeremoniesHere,
    providers: ProvidersHere,
) -> Response[str] | Redirect:
    """Start a session for the right password; too many wrong ones must wait."""
    name, goal = form.one("name").replace("\0", ""), inner_path(form.one("next"))
    shown = _door(visit, ceremonies, providers, goal, name)
    try:
        device = store.devices.known(request.cookies.get(DEVICE, ""), name)
        token = store.users.sign_in(name, form.secret("password"), visit.address, device)
    except Locked as error:
        return locked(visit, pages, error, "sign_in.html", **shown)
    if token is None:
        return pages.show(visit, "sign_in.html", status=403, refusal=visit.words("sign_in.wrong"), **shown)
    return enter(request, visit, store, name, token, goal)


@post("/sign-in/passkey", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def sign_in_by_passkey(
    request: AnyRequest,
    visit: VisitHere,
    form: FormHere,
    pages: PagesHere,
    store: StoreHere,
    ceremonies: CeremoniesHere,
    providers: ProvidersHere,
) -> Response[str] | Redirect:
    """Start a session for whoever shows a passkey: no name, no password, no code."""
    goal = inner_path(form.one("next"))
    try:
        name, token = ceremonies.sign_in(visit, form.one("credential"))
    except Locked as error:
        return locked(visit, pages, error, "sign_in.html", **_door(visit, ceremonies, providers, goal))
    except BadRequest as error:
        shown = _door(visit, ceremonies, providers, goal)
        return pages.show(visit, "sign_in.html", status=403, refusal=explain(visit, error), **shown)
    return enter(request, visit, store, name, token, goal)


@get("/second-factor", opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True)
def ask_second_factor(
    visit: VisitHere,
    pages: PagesHere,
    ceremonies: CeremoniesHere,
    settings: NamedDependency[Config],
    next: FromQuery[str] = "/",
) -> Response[str] | Redirect:
    """Ask for a passkey or the authenticator's code; somebody who showed one just now goes on."""
    if visit.user is None or not visit.user.has_second_factor or is_fresh(visit):
        return go(inner_path(next))
    shown = _second_factor(visit, ceremonies, settings, inner_path(next))
    return pages.show(visit, "second_factor.html", refusal="", **shown)


def _second_factor(visit: Visit, ceremonies: Ceremonies, settings: Config, goal: str) -> dict[str, Any]:
    """Return what the page offers: whoever must show a passkey is not asked for a code."""
    has_passkey = visit.user is not None and visit.user.passkeys > 0
    by_code = visit.user is not None and visit.user.has_authenticator
    return {
        "next": goal,
        "passkey": ceremonies.request(visit) if has_passkey else "",
        "by_code": by_code and not (has_passkey and must_have_passkey(visit, settings)),
    }


@post("/second-factor", opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True)
def show_second_factor(
    visit: VisitHere,
    form: FormHere,
    pages: PagesHere,
    store: StoreHere,
    ceremonies: CeremoniesHere,
    settings: NamedDependency[Config],
) -> Response[str] | Redirect:
    """Take the code; too many wrong ones must wait."""
    goal = inner_path(form.one("next"))
    shown = _second_factor(visit, ceremonies, settings, goal)
    try:
        if not shown["by_code"]:
            raise BadRequest("A code will not do here.", code="code_wrong")
        store.second_factors.show(visit.actor.name, form.one("code"), visit.actor)
    except Locked as error:
        return locked(visit, pages, error, "second_factor.html", **shown)
    except BadRequest:
        refusal = visit.words("second_factor.wrong")
        return pages.show(visit, "second_factor.html", status=403, refusal=refusal, **shown)
    if visit.session is not None:
        store.sessions.note_second_factor(visit.session.id)
    return go(goal)


@post("/second-factor/passkey", opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True)
def show_passkey(
    visit: VisitHere,
    form: FormHere,
    pages: PagesHere,
    store: StoreHere,
    ceremonies: CeremoniesHere,
    settings: NamedDependency[Config],
) -> Response[str] | Redirect:
    """Take a passkey as the second factor."""
    goal = inner_path(form.one("next"))
    shown = _second_factor(visit, ceremonies, settings, goal)
    try:
        ceremonies.show(visit, form.one("credential"))
    except Locked as error:
        return locked(visit, pages, error, "second_factor.html", **shown)
    except BadRequest as error:
        refusal = explain(visit, error)
        return pages.show(visit, "second_factor.html", status=403, refusal=refusal, **shown)
    if visit.session is not None:
        store.sessions.note_second_factor(visit.session.id)
    return go(goal)


@post("/sign-out", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def sign_out(request: AnyRequest, visit: VisitHere, store: StoreHere, providers: ProvidersHere) -> Redirect:
    """End the session; whoever came by a provider is led to the end of the one there."""
    store.sessions.end(request.cookies.get(SESSION, ""), visit.address)
    page = after_signing_out(store, providers, visit.actor.name)
    return go(page, [Cookie(SESSION, value="", max_age=0, httponly=True, secure=visit.secure)])


@post("/preferences", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=False)
def set_preferences(visit: VisitHere, form: FormHere) -> Redirect:
    """Keep the language or the theme somebody chose."""
    cookies = []
    if form.one("language") in LANGUAGES:
        cookies.append(cookie(visit, LANGUAGE, form.one("language"), YEAR_DAYS))
    if form.one("theme") in THEMES:
        cookies.append(cookie(visit, THEME, form.one("theme"), YEAR_DAYS))
    return go(inner_path(form.one("next")), cookies)


ROUTES = [
    show_sign_in,
    sign_in,
    sign_in_by_passkey,
    ask_second_factor,
    show_second_factor,
    show_passkey,
    sign_out,
    set_preferences,
]
