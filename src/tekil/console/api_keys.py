"""API keys: made with scopes and an end, shown once, given a new secret, revoked."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from tekil.access.policy import Permission
from tekil.api import needs
from tekil.api import reference as decode
from tekil.api.routes import StoreHere
from tekil.console.forms import Form, FormHere
from tekil.console.gate import is_fresh
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.visit import Visit, VisitHere
from tekil.errors import BadRequest, NotFound
from tekil.privacy.typed import check_typed, typed_condition
from tekil.store import Store
from tekil.store.clock import now_us
from tekil.store.keys import DAY_US, HOUR_US, SCOPES

READ = needs(Permission.KEYS_READ)
WRITE = needs(Permission.KEYS_WRITE)
NAME_MAX = 128
LASTS_DAYS = ("90", "30", "365", "")
"""How long a new key may work, in days; the empty one is for ever."""

OVERLAP_HOURS = 24
"""How long a key's old secret works beside its new one."""


@get("/keys", opt=READ, include_in_schema=False, sync_to_thread=True)
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
        scopes=[scope for scope in SCOPES if visit.may(scope)],
        lasts=LASTS_DAYS,
        overlap=OVERLAP_HOURS,
        now=now_us(),
        form=form,
        secret=secret,
        refusal=refusal,
        may_write=visit.may(Permission.KEYS_WRITE),
        fresh=is_fresh(visit),
    )


@post("/keys", opt=WRITE, status_code=200, include_in_schema=False, sync_to_thread=True)
def create_key(visit: VisitHere, form: FormHere, pages: PagesHere, store: StoreHere) -> Response[str]:
    """Make an API key and show its secret, this once. Nobody gives a key what they may not do themselves."""
    name, scopes, days = form.one("name"), form.all("scope"), form.one("days")
    if not name or len(name) > NAME_MAX or not scopes:
        return _list(visit, pages, store, form, refusal=visit.words("keys.incomplete"))
    lasts_us = int(days) * DAY_US if days in LASTS_DAYS and days else None
    try:
        if not all(visit.may(scope) for scope in scopes if scope in SCOPES) or "*" in scopes:
            raise BadRequest("A key may do no more than whoever makes it.", code="scope_not_held")
        condition = typed_condition(form.one("condition"))
        _, secret = store.keys.create_api_key(
            check_typed(name.replace("\0", ""), "The key's name"),
            scopes,
            visit.actor,
            lasts_us=lasts_us,
            condition=condition,
        )
    except BadRequest as error:
        refusal = visit.words.known(f"error.{error.code}", error.message)
        return _list(visit, pages, store, form, refusal=refusal)
    return _list(visit, pages, store, Form({}), secret=secret)


@post("/keys/{key_id:str}/rotate", opt=WRITE, status_code=200, include_in_schema=False, sync_to_thread=True)
def rotate_key(key_id: FromPath[str], visit: VisitHere, pages: PagesHere, store: StoreHere) -> Response[str]:
    """Give a key a new secret, shown this once; programs have a day to change over."""
    found = next((key for key in store.keys.api_keys() if key.id == decode(key_id)), None)
    if found is None:
        raise NotFound("There is no such API key.", code="api_key_unknown")
    if "*" not in found.scopes and not all(visit.may(scope) for scope in found.scopes):
        refusal = visit.words("error.scope_not_held")
        return _list(visit, pages, store, Form({}), refusal=refusal)
    secret = store.keys.rotate_api_key(found.id, OVERLAP_HOURS * HOUR_US, visit.actor)
    return _list(visit, pages, store, Form({}), secret=secret)


@post("/keys/{key_id:str}/revoke", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def revoke_key(key_id: FromPath[str], visit: VisitHere, store: StoreHere) -> Redirect:
    """Make an API key worthless."""
    store.keys.revoke_api_key(decode(key_id), visit.actor)
    return go("/keys")


ROUTES = [show_keys, create_key, rotate_key, revoke_key]
