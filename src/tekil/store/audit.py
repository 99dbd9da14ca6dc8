"""The audit trail as it is kept: appended to, read, never changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, Table, event, insert, select, update

from tekil.access.audit import BEGINNING, Act, Actor, Detail, Entry, Head, chained, details_text
from tekil.store.clock import Begin, now_us
from tekil.store.tables import audit_entries, audit_head

WALK = 1_000
"""Entries in one read of a walk over all."""


@event.listens_for(audit_head, "after_create")
def _begin_trail(_table: Table, connection: Connection, **_: Any) -> None:
    """Insert the head of a trail without entries, as the migration does."""
    connection.execute(insert(audit_head).values(name="head", number=BEGINNING.number, hash=BEGINNING.hash))


class Wanted(msgspec.Struct, frozen=True):
    """Which entries are asked for: empty texts and nothing mean all. Instants are microseconds."""

    actor: str = ""
    act: str = ""
    since: int | None = None
    until: int | None = None
    before: int | None = None


def record(
    connection: Connection, by: Actor, act: Act, object_kind: str, object_id: str, **details: Detail
) -> Entry:
    """Append an entry in the transaction of what it tells of: both happen, or neither does.

    The head's row is changed first, which makes any other who appends wait until this transaction ends:
    entries follow each other without a gap, in SQLite and PostgreSQL, whatever the number of processes.
    """
    claim = update(audit_head).values(number=audit_head.c.number + 1)
    row = connection.execute(claim.returning(audit_head.c.number, audit_head.c.hash)).one()
    entry = Entry(
        number=row.number,
        at=now_us(),
        actor_kind=by.kind,
        actor=by.name,
        origin=by.origin,
        act=str(act),
        object_kind=object_kind,
        object_id=object_id,
        details=details_text(details),
    )
    entry = msgspec.structs.replace(entry, hash=chained(entry, row.hash))
    connection.execute(insert(audit_entries).values(**msgspec.structs.asdict(entry)))
    connection.execute(update(audit_head).values(hash=entry.hash))
    return entry


class Audit:
    """Reads of the trail, and entries about what changes nothing in the store."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def append(self, by: Actor, act: Act, object_kind: str, object_id: str = "", **details: Detail) -> Entry:
        """Put on record an act that is no change of the store, such as a query or a reveal."""
        with self._begin() as connection:
            return record(connection, by, act, object_kind, object_id, **details)

    def page(self, wanted: Wanted, limit: int) -> list[Entry]:
        """Return entries, newest first; give the last one's number as `before` for older ones."""
        query = _filtered(wanted).order_by(audit_entries.c.number.desc()).limit(limit)
        with self._begin() as connection:
            return [Entry(*row) for row in connection.execute(query)]

    def entries(self, after: int | None = None) -> Iterator[Entry]:
        """Yield all entries (those `after` a number), oldest first, some at a time."""
        last = after
        while True:
            query = select(audit_entries).order_by(audit_entries.c.number).limit(WALK)
            if last is not None:
                query = query.where(audit_entries.c.number > last)
            with self._begin() as connection:
                some = [Entry(*row) for row in connection.execute(query)]
            yield from some
            if len(some) < WALK:
                return
            last = some[-1].number

    def head(self) -> Head:
        """Return the last entry's number and hash, which are kept apart from the entries."""
        with self._begin() as connection:
            row = connection.execute(select(audit_head.c.number, audit_head.c.hash)).first()
        return BEGINNING if row is None else Head(*row)


def _filtered(wanted: Wanted) -> Select[Any]:
    query = select(audit_entries)
    columns = audit_entries.c
    if wanted.actor:
        query = query.where(columns.actor == wanted.actor)
    if wanted.act:
        query = query.where(columns.act == wanted.act)
    if wanted.since is not None:
        query = query.where(columns.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(columns.at < wanted.until)
    if wanted.before is not None:
        query = query.where(columns.number < wanted.before)
    return query
