"""Sources: who sends, with which key, what became of it, and what to copy so that it starts."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from tekil.access.policy import Access, Permission
from tekil.api import needs, segment
from tekil.api import reference as decode
from tekil.api.model import NOTHING
from tekil.api.routes import ReadsHere, StoreHere
from tekil.config import Config
from tekil.console.drawings import ledger_parts
from tekil.console.forms import FormHere
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.snippets import SNIPPETS, door_url
from tekil.console.visit import AnyRequest, Visit, VisitHere
from tekil.errors import BadRequest, NotFound
from tekil.privacy.typed import check_typed
from tekil.reads import Count, Quarantined, Reads, SourceLedger
from tekil.store import Source, Store

READ = needs(Permission.LEDGER_READ, keeps_to_condition=True)
WRITE = needs(Permission.SOURCES_WRITE)
SEES_MESSAGES = Access(Permission.EVENTS_READ)
"""A quarantined message is somebody's, and says so in its own words."""

QUARANTINED = 20
BODY_SHOWN = 4_000


class SourceRow(msgspec.Struct, frozen=True):
    """A source with its ledger and the keys that work."""

    source: Source
    counted: SourceLedger
    keys: list[str]


def rows(reads: Reads, store: Store) -> list[SourceRow]:
    """Return all sources by name."""
    counted = {of.source: of for of in reads.ledger().sources}
    keys: dict[str, list[str]] = {}
    for key in store.keys.write_keys():
        keys.setdefault(key.source, []).append(key.key)
    return [
        SourceRow(source, counted.get(source.name, NOTHING), keys.get(source.name, []))
        for source in store.keys.sources()
    ]


def row(reads: Reads, store: Store, name: str) -> SourceRow:
    """Return one source. Raises `NotFound` where there is none of that name."""
    for found in rows(reads, store):
        if found.source.name == name:
            return found
    raise NotFound(f"There is no source named {name!r}.", code="source_unknown")


@get("/sources", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_sources(visit: VisitHere, pages: PagesHere, reads: ReadsHere, store: StoreHere) -> Response[str]:
    """Show all sources, and the form that makes one."""
    return _list(visit, pages, reads, store)


def _list(
    visit: Visit, pages: Pages, reads: Reads, store: Store, name: str = "", refusal: str = ""
) -> Response[str]:
    return pages.show(
        visit,
        "sources.html",
        status=400 if refusal else 200,
        page="sources",
        rows=rows(reads, store),
        may_write=visit.may(Permission.SOURCES_WRITE),
        name=name,
        refusal=refusal,
    )


@post("/sources", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def create_source(
    visit: VisitHere, form: FormHere, pages: PagesHere, reads: ReadsHere, store: StoreHere
) -> Response[str] | Redirect:
    """Make a source and its first key; a name that is taken leads to the source that has it."""
    name = form.one("name")
    if name not in {source.name for source in store.keys.sources()}:
        try:
            store.keys.create_write_key(check_typed(name, "The source's name"), visit.actor)
        except BadRequest as error:
            refusal = visit.words.known(f"error.{error.code}", error.message)
            return _list(visit, pages, reads, store, name, refusal)
    return go(f"/sources/{segment(name)}")


@get("/sources/{name:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_source(
    name: FromPath[str],
    request: AnyRequest,
    visit: VisitHere,
    pages: PagesHere,
    reads: ReadsHere,
    store: StoreHere,
    settings: NamedDependency[Config],
    snippet: FromQuery[str] = "site",
) -> Response[str]:
    """Show one source: its state, its snippet, its keys and what it sent that could not be loaded."""
    found = row(reads, store, decode(name))
    door = door_url(settings, request.url.hostname or "127.0.0.1")
    may_write = visit.may(Permission.SOURCES_WRITE)
    chosen = snippet if snippet in SNIPPETS else "site"
    return pages.show(
        visit,
        "source.html",
        page="sources",
        row=found,
        door=door,
        snippets=list(SNIPPETS),
        chosen=chosen,
        snippet=SNIPPETS[chosen](door, found.keys[0]) if found.keys and may_write else "",
        may_write=may_write,
        **state(visit, reads, found),
    )


def state(visit: Visit, reads: Reads, found: SourceRow) -> dict[str, Any]:
    """Return what changes on a source's page while messages arrive."""
    counted = found.counted
    total = Count(counted.accepted, counted.loaded, counted.quarantined, counted.duplicate, counted.waiting)
    return {
        "total": total,
        "parts": ledger_parts(total),
        "quarantined": [shown(q) for q in reads.quarantine(found.source.name, QUARANTINED)]
        if counted.quarantined and visit.opens(SEES_MESSAGES)
        else [],
    }


class Refused(msgspec.Struct, frozen=True):
    """A quarantined message for display; a body that is too long to read is cut."""

    message: Quarantined
    reasons: list[str]
    body: str


def shown(message: Quarantined) -> Refused:
    """Return a quarantined message with its reasons apart and its body over lines."""
    try:
        body = msgspec.json.format(message.body, indent=2)
    except msgspec.DecodeError:
        body = message.body
    if len(body) > BODY_SHOWN:
        body = body[:BODY_SHOWN] + " …"
    reasons = [reason.strip() for reason in message.reasons.replace(";", ",").split(",")]
    return Refused(message, [reason for reason in reasons if reason], body)


@get("/sources/{name:str}/now", opt=READ, include_in_schema=False, sync_to_thread=True)
def get_source_now(
    name: FromPath[str], visit: VisitHere, pages: PagesHere, reads: ReadsHere, store: StoreHere
) -> Response[dict[str, Any]]:
    """Return the part of a source's page that changes while messages arrive."""
    found = row(reads, store, decode(name))
    part = pages.render(visit, "sources/state.html", {"row": found, **state(visit, reads, found)})
    return Response({"parts": {"state": part}}, headers={"Cache-Control": "no-store"})


@post("/sources/{name:str}/enabled", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def set_enabled(name: FromPath[str], visit: VisitHere, form: FormHere, store: StoreHere) -> Redirect:
    """Let a source send, or no longer."""
    store.keys.set_source_enabled(decode(name), form.one("enabled") == "yes", visit.actor)
    return go(f"/sources/{segment(decode(name))}")


@post("/sources/{name:str}/keys", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def add_key(name: FromPath[str], visit: VisitHere, reads: ReadsHere, store: StoreHere) -> Redirect:
    """Make one more key for a source that is there."""
    found = row(reads, store, decode(name))
    store.keys.create_write_key(found.source.name, visit.actor)
    return go(f"/sources/{segment(found.source.name)}#keys")


@post("/sources/{name:str}/keys/revoke", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def revoke_key(name: FromPath[str], visit: VisitHere, form: FormHere, store: StoreHere) -> Redirect:
    """Make a write key worthless."""
    store.keys.revoke_write_key(form.one("key"), visit.actor)
    return go(f"/sources/{segment(decode(name))}#keys")


ROUTES = [show_sources, create_source, show_source, get_source_now, set_enabled, add_key, revoke_key]
