"""The audit trail over HTTP: who did what to what, when, from where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import FromQuery, QueryParameter

from tekil.access.audit import Entry
from tekil.api import problems
from tekil.api.access import StoreHere, requires
from tekil.api.model import from_us, json_object
from tekil.store.audit import Wanted

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many at most.")]
Instant = Annotated[datetime | None, QueryParameter(description="ISO 8601; without a zone it is UTC.")]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Number = Annotated[int | None, QueryParameter(ge=1, le=2**53, description="Entries older than this one.")]


class AuditEntry(msgspec.Struct, frozen=True):
    """One act on record. `hash` holds this entry and all before it."""

    number: int
    at: datetime
    actor_kind: str
    actor: str
    origin: str
    act: str
    object_kind: str
    object_id: str
    details: dict[str, Any]
    hash: str


class AuditEntries(msgspec.Struct, frozen=True):
    """Entries, newest first; `next` is what to give as `before` for older ones, null at the end."""

    entries: list[AuditEntry]
    next: int | None


def shown(entry: Entry) -> AuditEntry:
    """Return an entry as programs read it."""
    return AuditEntry(
        entry.number,
        from_us(entry.at),
        entry.actor_kind,
        entry.actor,
        entry.origin,
        entry.act,
        entry.object_kind,
        entry.object_id,
        json_object(entry.details) or {},
        entry.hash,
    )


def _to_us(instant: datetime | None) -> int | None:
    if instant is None:
        return None
    known = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (known - EPOCH) // timedelta(microseconds=1)


@get(
    "/v1/audit",
    summary="Who did what",
    tags=["Audit"],
    guards=[requires("audit:read")],
    security=[{"bearer": []}],
    responses=problems.responses(400, 401, 403, 503),
    sync_to_thread=True,
)
def get_audit(
    store: StoreHere,
    actor: FromQuery[str] = "",
    act: FromQuery[str] = "",
    since: Instant = None,
    until: Instant = None,
    before: Number = None,
    limit: Limit = 50,
) -> AuditEntries:
    """Return the audit trail, newest first: of one actor, one kind of act, or a span of time, if asked."""
    wanted = Wanted(actor.replace("\0", ""), act.replace("\0", ""), _to_us(since), _to_us(until), before)
    found = store.audit.page(wanted, limit + 1)
    rest = found[limit - 1].number if len(found) > limit else None
    return AuditEntries([shown(entry) for entry in found[:limit]], rest)
