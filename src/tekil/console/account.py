"""One's own account: roles, password, second factor, sessions."""

from __future__ import annotations

import io

import segno
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from tekil.access.passwords import LENGTH_MIN
from tekil.access.totp import enrolment_uri
from tekil.api import FOR_SIGNED_IN
from tekil.api import reference as decode
from tekil.api.routes import StoreHere
from tekil.config import Config
from tekil.console.forms import FormHere
from tekil.console.gate import must_have_second_factor, step_up
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.visit import Visit, VisitHere
from tekil.errors import BadRequest, Forbidden
from tekil.store import Store
from tekil.store.failures import Locked


def qr_svg(text: str) -> str:
    """Return a QR code as SVG, black on white in every theme, because scanners want it so."""
    picture = io.BytesIO()
    segno.make(text, error="m").save(
        picture,
        kind="svg",
        omitsize=True,
        xmldecl=False,
        svgns=True,
        nl=False,
        border=3,
        dark="#000",
        light="#fff",
    )
    return picture.getvalue().decode()


@get("/account", opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True)
def show_account(
    visit: VisitHere, pages: PagesHere, store: StoreHere, settings: NamedDependency[Config]
) -> Response[str]:
    """Show who the reader is here, and where they are signed in."""
    name = visit.actor.name
    return pages.show(
        visit,
        "account.html",
        page="account",
        sessions=store.sessions.of(name),
        codes_left=store.second_factors.codes_left(name),
        required=must_have_second_factor(visit, settings),
    )


@get("/account/password", opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True)
def show_password(visit: VisitHere, pages: PagesHere) -> Response[str]:
    """Show the form that changes one's password."""
    return _password(visit, pages)


def _password(visit: Visit, pages: Pages, status: int = 200, refusal: str = "") -> Response[str]:
    shown = {"page": "account", "refusal": refusal, "least": LENGTH_MIN}
    return pages.show(visit, "password.html", status=status, **shown)


@post("/account/password", opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True)
def change_password(
    visit: VisitHere, form: FormHere, pages: PagesHere, store: StoreHere
) -> Response[str] | Redirect:
    """Change one's own password; all other sessions end."""
    if form.secret("new") != form.secret("again"):
        return _password(visit, pages, 400, visit.words("error.password_differs"))
    session = visit.session.id if visit.session else ""
    try:
        store.users.change_password(
            visit.actor.name, form.secret("old"), form.secret("new"), visit.actor, session
        )
    except (BadRequest, Locked) as error:
        refusal = visit.words.known(f"error.{error.code}", error.message)
        return _password(visit, pages, error.http_status, refusal)
    return go("/account")


@get("/account/second-factor", opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True)
def show_enrolment(
    visit: VisitHere, pages: PagesHere, store: StoreHere, settings: NamedDependency[Config]
) -> Response[str] | Redirect:
    """Show the code that an authenticator reads, until it is confirmed."""
    if visit.user is not None and visit.user.has_authenticator:
        return go("/account")
    return _enrolment(visit, pages, store, settings)


def _enrolment(
    visit: Visit, pages: Pages, store: Store, settings: Config, status: int = 200, refusal: str = ""
) -> Response[str]:
    # After a wrong code the picture stays; whoever opens the page anew gets a secret nobody has seen before.
    factors, name = store.second_factors, visit.actor.name
    secret = factors.pending(name) if refusal else factors.enrol(name)
    uri = enrolment_uri(secret, visit.actor.name, settings.workspace.name)
    return pages.show(
        visit,
        "enrol.html",
        status=status,
        page="account",
        secret=" ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        picture=qr_svg(uri),
        refusal=refusal,
        codes=[],
    )


@post(
    "/account/second-factor", opt=FOR_SIGNED_IN, status_code=200, include_in_schema=False, sync_to_thread=True
)
def confirm_enrolment(
    visit: VisitHere, form: FormHere, pages: PagesHere, store: StoreHere, settings: NamedDependency[Config]
) -> Response[str] | Redirect:
    """Turn the second factor on, and show the recovery codes, this once."""
    if visit.user is not None and visit.user.has_authenticator:
        return go("/account")
    if visit.user is not None and visit.user.has_second_factor:
        step_up(visit)
    try:
        codes = store.second_factors.confirm(visit.actor.name, form.one("code"), visit.actor)
    except (BadRequest, Locked) as error:
        refusal = visit.words.known(f"error.{error.code}", error.message)
        return _enrolment(visit, pages, store, settings, error.http_status, refusal)
    if visit.session is not None:
        store.sessions.note_second_factor(visit.session.id)
    return pages.show(visit, "enrol.html", page="account", codes=codes, secret="", picture="", refusal="")


@post("/account/second-factor/off", opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True)
def remove_second_factor(visit: VisitHere, store: StoreHere, settings: NamedDependency[Config]) -> Redirect:
    """Turn one's second factor off, having shown it a short while ago, where no role needs it."""
    step_up(visit)
    passkeys = visit.user.passkeys if visit.user else 0
    if not passkeys and must_have_second_factor(visit, settings):
        raise Forbidden("One of your roles needs a second factor.", code="second_factor_required")
    store.second_factors.remove(visit.actor.name, visit.actor)
    return go("/account")


@post(
    "/account/sessions/{session_id:str}/end", opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True
)
def end_session(session_id: FromPath[str], visit: VisitHere, store: StoreHere) -> Redirect:
    """End one of one's own sessions."""
    store.sessions.end_one(visit.actor.name, decode(session_id), visit.actor)
    return go("/account")


ROUTES = [
    show_account,
    show_password,
    change_password,
    show_enrolment,
    confirm_enrolment,
    remove_second_factor,
    end_session,
]
