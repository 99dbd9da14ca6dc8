"""One's own passkeys: looked at, added, removed.

The script is needed because only a script may ask a browser for a passkey; what it brings goes into a
form like any other.
"""

from __future__ import annotations

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from tekil.api import FOR_SIGNED_IN
from tekil.api import reference as decode
from tekil.api.routes import StoreHere
from tekil.config import Config
from tekil.console.ceremonies import Ceremonies, CeremoniesHere
from tekil.console.entering import explain
from tekil.console.forms import FormHere
from tekil.console.gate import PASSKEYS, is_fresh, must_have_passkey, must_have_second_factor, step_up
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.visit import Visit, VisitHere
from tekil.errors import BadRequest, Forbidden
from tekil.store import Store
from tekil.store.passkeys import TITLE_MAX


@get(PASSKEYS, opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True)
def show_passkeys(
    visit: VisitHere, pages: PagesHere, ceremonies: CeremoniesHere, store: StoreHere
) -> Response[str]:
    """Show one's passkeys, and add one."""
    return _passkeys(visit, pages, ceremonies, store)


def _passkeys(
    visit: Visit, pages: Pages, ceremonies: Ceremonies, store: Store, refusal: str = ""
) -> Response[str]:
    fresh = visit.user is None or not visit.user.has_second_factor or is_fresh(visit)
    return pages.show(
        visit,
        "passkeys.html",
        status=400 if refusal else 200,
        page="account",
        passkeys=store.passkeys.of(visit.actor.name),
        fresh=fresh,
        asked=ceremonies.request_new(visit) if fresh else "",
        origin=ceremonies.party.origin,
        title_max=TITLE_MAX,
        refusal=refusal,
    )


@post(PASSKEYS, opt=FOR_SIGNED_IN, include_in_schema=False, sync_to_thread=True)
def add_passkey(
    visit: VisitHere, form: FormHere, pages: PagesHere, ceremonies: CeremoniesHere, store: StoreHere
) -> Response[str] | Redirect:
    """Keep a new passkey. Whoever has a second factor already has just shown it."""
    if visit.user is not None and visit.user.has_second_factor:
        step_up(visit)
    title = form.one("title").replace("\0", "") or visit.words("passkeys.unnamed")
    try:
        ceremonies.add(visit, form.one("credential"), title)
    except BadRequest as error:
        return _passkeys(visit, pages, ceremonies, store, explain(visit, error))
    if visit.session is not None:
        # Making it verified its user, here and now.
        store.sessions.note_second_factor(visit.session.id)
    return go(PASSKEYS)


@post(
    "/account/passkeys/{passkey_id:str}/remove",
    opt=FOR_SIGNED_IN,
    include_in_schema=False,
    sync_to_thread=True,
)
def remove_passkey(
    passkey_id: FromPath[str], visit: VisitHere, store: StoreHere, settings: NamedDependency[Config]
) -> Redirect:
    """Forget one of one's passkeys, having shown a second factor a short while ago."""
    step_up(visit)
    user = visit.user
    last = user is None or user.passkeys <= 1
    alone = user is None or not user.has_authenticator
    if last and (must_have_passkey(visit, settings) or (alone and must_have_second_factor(visit, settings))):
        raise Forbidden("One of your roles needs this; add another first.", code="second_factor_required")
    store.passkeys.remove(visit.actor.name, decode(passkey_id), visit.actor)
    return go(PASSKEYS)


ROUTES = [show_passkeys, add_passkey, remove_passkey]
