"""API keys: made with scopes, shown once, revoked."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from tekil.api import reference as decode
from tekil.api.routes import StoreHere
from tekil.console.forms import Form, FormHere
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.visit import Visit, VisitHere
from tekil.errors import BadRequest
from tekil.store import Store
from tekil.store.keys import SCOPES

NAME_MAX = 128


@get("/keys", include_in_schema=False, sync_to_thread=True)
def show_keys(visit: VisitHere, pages: PagesHere, store: StoreHere) -> Response[str]:
    """Show all API keys, and the form that makes one."""
    return _list(visit, pages, store, Form({}))


def _list(
    visit: Visit, pages: Pages, store: Store, form: Form, secret: str = "", refusal: str = ""
) -> Response[str]:
    return pages.show(
        visit,
        "keys.html",
        status=400 if refusal else 200,
        page="keys",
        keys=sorted(store.keys.api_keys(), key=lambda key: (key.revoked, -key.created_at)),
        scopes=SCOPES,
        form=form,
        secret=secret,
        refusal=refusal,
    )


@post("/keys", status_code=200, include_in_schema=False, sync_to_thread=True)
def create_key(visit: VisitHere, form: FormHere, pages: PagesHere, store: StoreHere) -> Response[str]:
    """Make an API key and show its secret, this once."""
    name, scopes = form.one("name"), form.all("scope")
    if not name or len(name) > NAME_MAX or not scopes:
        return _list(visit, pages, store, form, refusal=visit.words("keys.incomplete"))
    try:
        _, secret = store.keys.create_api_key(name.replace("\0", ""), scopes, visit.actor)
    except BadRequest as error:
        refusal = visit.words.known(f"error.{error.code}", error.message)
        return _list(visit, pages, store, form, refusal=refusal)
    return _list(visit, pages, store, Form({}), secret=secret)


@post("/keys/{key_id:str}/revoke", include_in_schema=False, sync_to_thread=True)
def revoke_key(key_id: FromPath[str], visit: VisitHere, store: StoreHere) -> Redirect:
    """Make an API key worthless."""
    store.keys.revoke_api_key(decode(key_id), visit.actor)
    return go("/keys")


ROUTES = [show_keys, create_key, revoke_key]
