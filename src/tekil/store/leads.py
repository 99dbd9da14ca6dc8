"""Leads as they are kept: what became of each, written together with the entry that says why."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from tekil.errors import NotFound, Refused
from tekil.store.clock import Begin
from tekil.store.lead_tables import lead_entries, lead_notices, lead_tasks, lead_turns, leads

OPEN = ("new", "waiting", "assigned", "accepted")
"""States of a lead that somebody has still to do with: just in, waiting for somebody who is free, given to
somebody, and taken by them. Others are `won`, `lost` and `duplicate`."""

CHUNK = 500
"""Values in one IN list."""


class LeadChanged(Refused):
    """Somebody else was quicker."""

    code = "lead_changed"
    http_status = 409


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """A lead. Instants are microseconds, UTC; `value` is in hundredths of `currency`. See `lead_tables`."""

    id: str
    token: str
    other_token: str
    name_kind: str
    name_value: str
    identifier_key: int
    user_id: str = ""
    anonymous_id: str = ""
    source: str
    channel: str
    form: str = ""
    facts: str = "{}"
    value: int | None = None
    currency: str = "TRY"
    created_at: int
    received_at: int
    pipeline: str = "sales"
    stage: str = "new"
    stage_since: int
    state: str = "new"
    owner: str = ""
    rule: str = ""
    passed: str = ""
    assigned_at: int | None = None
    accept_by: int | None = None
    accepted_at: int | None = None
    due_at: int | None = None
    contacted_at: int | None = None
    breaches: int = 0
    breached_at: int | None = None
    closed_at: int | None = None
    lost_reason: str = ""
    quality: str = ""
    duplicate_of: str = ""
    look_at: int | None = None
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether somebody has still to do with it."""
        return self.state in OPEN

    @property
    def passed_by(self) -> tuple[str, ...]:
        """Who does not get it again."""
        return tuple(name for name in self.passed.split(",") if name)

    @property
    def said(self) -> dict[str, Any]:
        """What it says that is nobody's."""
        found: dict[str, Any] = msgspec.json.decode(self.facts)
        return found


class LeadEntry(msgspec.Struct, frozen=True):
    """Something that happened to a lead; `details` is a JSON object."""

    at: int
    actor: str
    act: str
    details: str = "{}"

    def told(self) -> dict[str, Any]:
        """Return the details."""
        found: dict[str, Any] = msgspec.json.decode(self.details)
        return found


class LeadTask(msgspec.Struct, frozen=True):
    """Something to do about a lead, by an instant."""

    id: str
    lead_id: str
    text: str
    owner: str
    due_at: int
    done_at: int | None = None
    is_reminded: bool = False


class LeadNotice(msgspec.Struct, frozen=True):
    """What the webhook is to be told: `body` is JSON without personal values."""

    id: str
    lead_id: str
    what: str
    at: int
    body: str


class StageSum(msgspec.Struct, frozen=True):
    """How many open leads stand in a stage, and what they may be worth together, in hundredths."""

    stage: str
    currency: str
    leads: int
    value: int


_LEAD = [leads.c[name] for name in Lead.__struct_fields__]
_ENTRY = [lead_entries.c[name] for name in LeadEntry.__struct_fields__]
_TASK = [lead_tasks.c[name] for name in LeadTask.__struct_fields__]
_NOTICE = [lead_notices.c[name] for name in LeadNotice.__struct_fields__]


class Leads:
    """Reads and writes of leads. Safe for many threads and processes."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def hear(self, heard: Sequence[Lead], entries: Mapping[str, LeadEntry]) -> int:
        """Keep leads that are not kept yet, each with its first entry; return how many were new."""
        with self._begin() as connection:
            known = {
                row.id
                for some in _chunks([lead.id for lead in heard])
                for row in connection.execute(select(leads.c.id).where(leads.c.id.in_(some)))
            }
            new = {lead.id: lead for lead in heard if lead.id not in known}
            if new:
                connection.execute(insert(leads), [msgspec.structs.asdict(one) for one in new.values()])
                for lead in new.values():
                    _write_entries(connection, lead, [entries[lead.id]])
        return len(new)

    def get(self, lead_id: str) -> Lead:
        """Return a lead. Raises `NotFound`."""
        with self._begin() as connection:
            row = connection.execute(select(*_LEAD).where(leads.c.id == lead_id)).first()
        if row is None:
            raise NotFound(f"There is no lead {lead_id[:40]!r}.", code="lead_unknown")
        return _lead(row)

    def save(
        self,
        before: Lead,
        after: Lead,
        entries: Sequence[LeadEntry] = (),
        notices: Sequence[tuple[str, str]] = (),
    ) -> Lead:
        """Write a lead anew, with what happened to it and the notices (what, body) that are owed of it.

        Raises `LeadChanged` where it is no more as it was `before`.
        """
        after = msgspec.structs.replace(after, version=before.version + 1)
        as_it_was = and_(leads.c.id == before.id, leads.c.version == before.version)
        with self._begin() as connection:
            changed = connection.execute(
                update(leads).where(as_it_was).values(**msgspec.structs.asdict(after))
            )
            if not changed.rowcount:
                raise LeadChanged(
                    f"Somebody changed the lead {before.id} a moment ago. Look at it, and do it once more."
                )
            _write_entries(connection, after, entries)
            for number, (what, body) in enumerate(notices):
                at = entries[-1].at if entries else after.stage_since
                _owe(connection, after, LeadNotice(secrets.token_hex(16), after.id, what, at + number, body))
        return after

    def put_off(self, lead_id: str, until: int) -> None:
        """Have a lead looked at no sooner than an instant."""
        with self._begin() as connection:
            connection.execute(update(leads).where(leads.c.id == lead_id).values(look_at=until))

    def due(self, now: int, limit: int = 50) -> list[Lead]:
        """Return leads that somebody must look at by now, those that wait longest first."""
        query = select(*_LEAD).where(leads.c.look_at <= now).order_by(leads.c.look_at, leads.c.id)
        with self._begin() as connection:
            return [_lead(row) for row in connection.execute(query.limit(limit))]

    def open_of(self, tokens: Collection[str]) -> list[Lead]:
        """Return the open leads of whoever has some of these tokens, the oldest first."""
        found: dict[str, Lead] = {}
        with self._begin() as connection:
            for some in _chunks(sorted(tokens)):
                theirs = or_(leads.c.token.in_(some), leads.c.other_token.in_(some))
                rows = connection.execute(select(*_LEAD).where(theirs, leads.c.state.in_(OPEN)))
                found.update({row.id: _lead(row) for row in rows})
        return sorted(found.values(), key=lambda lead: (lead.received_at, lead.id))

    def all_of(self, tokens: Collection[str]) -> list[Lead]:
        """Return all leads of whoever has some of these tokens, the newest first."""
        found: dict[str, Lead] = {}
        with self._begin() as connection:
            for some in _chunks(sorted(tokens)):
                theirs = or_(leads.c.token.in_(some), leads.c.other_token.in_(some))
                found.update({row.id: _lead(row) for row in connection.execute(select(*_LEAD).where(theirs))})
        return sorted(found.values(), key=lambda lead: (-lead.received_at, lead.id))

    def find(
        self,
        *,
        pipeline: str = "",
        states: Sequence[str] = OPEN,
        seen_by: str | None = None,
        owner: str | None = None,
        stage: str = "",
        limit: int = 200,
    ) -> list[Lead]:
        """Return leads of a pipeline (of all, where empty), the newest first.

        `seen_by` leaves out those that are somebody else's.
        """
        wanted = _wanted(pipeline, states, seen_by)
        if owner is not None:
            wanted &= leads.c.owner == owner
        if stage:
            wanted &= leads.c.stage == stage
        query = select(*_LEAD).where(wanted).order_by(leads.c.received_at.desc(), leads.c.id).limit(limit)
        with self._begin() as connection:
            return [_lead(row) for row in connection.execute(query)]

    def sums(self, pipeline: str, seen_by: str | None = None) -> list[StageSum]:
        """Return by stage and currency how many open leads there are, and their value to the hundredth."""
        c = leads.c
        query = (
            select(c.stage, c.currency, func.count(), func.coalesce(func.sum(c.value), 0))
            .where(_wanted(pipeline, OPEN, seen_by))
            .group_by(c.stage, c.currency)
            .order_by(c.stage, c.currency)
        )
        with self._begin() as connection:
            return [
                StageSum(stage, currency, int(n), int(value))
                for stage, currency, n, value in connection.execute(query)
            ]

    def load(self) -> dict[str, int]:
        """Return how many open leads each owner has."""
        c = leads.c
        query = select(c.owner, func.count()).where(c.state.in_(OPEN), c.owner != "").group_by(c.owner)
        with self._begin() as connection:
            return {owner: int(count) for owner, count in connection.execute(query)}

    def outcomes(self, since: int) -> dict[tuple[str, str], int]:
        """Return by source and quality how many leads that came since an instant salespeople judged."""
        c = leads.c
        judged = case((c.quality == "", c.state), else_=c.quality)
        query = (
            select(c.source, judged, func.count()).where(c.received_at >= since).group_by(c.source, judged)
        )
        with self._begin() as connection:
            return {(source, quality): int(count) for source, quality, count in connection.execute(query)}

    def entries(self, lead_id: str) -> list[LeadEntry]:
        """Return what happened to a lead, in order."""
        query = (
            select(*_ENTRY)
            .where(lead_entries.c.lead_id == lead_id)
            .order_by(lead_entries.c.at, lead_entries.c.number)
        )
        with self._begin() as connection:
            return [LeadEntry(*row) for row in connection.execute(query)]

    def tasks(self, lead_id: str) -> list[LeadTask]:
        """Return what is to be done about a lead, by when it is due."""
        query = (
            select(*_TASK)
            .where(lead_tasks.c.lead_id == lead_id)
            .order_by(lead_tasks.c.due_at, lead_tasks.c.id)
        )
        with self._begin() as connection:
            return [LeadTask(*row) for row in connection.execute(query)]

    def put_task(self, lead: Lead, task: LeadTask) -> None:
        """Keep a task, in the place of the one of its id."""
        whose = {"token": lead.token, "other_token": lead.other_token}
        with self._begin() as connection:
            connection.execute(delete(lead_tasks).where(lead_tasks.c.id == task.id))
            connection.execute(insert(lead_tasks).values(**msgspec.structs.asdict(task), **whose))

    def reminders(self, now: int) -> list[LeadTask]:
        """Return tasks that are due by now and nobody was reminded of."""
        c = lead_tasks.c
        query = select(*_TASK).where(c.due_at <= now, c.done_at.is_(None), c.is_reminded.is_(False))
        with self._begin() as connection:
            return [LeadTask(*row) for row in connection.execute(query.order_by(c.due_at).limit(CHUNK))]

    def remind(self, lead: Lead, task: LeadTask, notice: tuple[str, str], now: int) -> None:
        """Note that a task was reminded of, and owe the notice of it."""
        with self._begin() as connection:
            connection.execute(update(lead_tasks).where(lead_tasks.c.id == task.id).values(is_reminded=True))
            _owe(connection, lead, LeadNotice(secrets.token_hex(16), lead.id, notice[0], now, notice[1]))

    def owed(self, limit: int = 100, what: str = "lead.") -> list[LeadNotice]:
        """Return the notices that are still owed and begin so, the oldest first."""
        query = (
            select(*_NOTICE)
            .where(lead_notices.c.what.startswith(what))
            .order_by(lead_notices.c.at, lead_notices.c.id)
            .limit(limit)
        )
        with self._begin() as connection:
            return [LeadNotice(*row) for row in connection.execute(query)]

    def paid(self, notice_id: str) -> None:
        """Note that a notice arrived, or will not be sent any more."""
        with self._begin() as connection:
            connection.execute(delete(lead_notices).where(lead_notices.c.id == notice_id))

    def count_closed(self, before: int) -> int:
        """Return how many leads were closed before an instant (microseconds)."""
        with self._begin() as connection:
            return int(
                connection.execute(select(func.count()).where(leads.c.closed_at < before)).scalar_one()
            )

    def forget_closed(self, before: int) -> int:
        """Delete leads that were closed before an instant, and all about them; return how many."""
        with self._begin() as connection:
            over = select(leads.c.id).where(leads.c.closed_at < before)
            for table in (lead_entries, lead_tasks, lead_notices):
                connection.execute(delete(table).where(table.c.lead_id.in_(over)))
            return int(connection.execute(delete(leads).where(leads.c.closed_at < before)).rowcount)

    def turns(self, pipeline: str) -> str:
        """Return how leads of a pipeline were handed out so far, as JSON; empty before the first."""
        query = select(lead_turns.c.body).where(lead_turns.c.pipeline == pipeline)
        with self._begin() as connection:
            return connection.execute(query).scalar_one_or_none() or ""

    def put_turns(self, pipeline: str, body: str) -> None:
        """Keep how leads of a pipeline were handed out so far."""
        with self._begin() as connection:
            made = postgresql if connection.dialect.name == "postgresql" else sqlite
            statement = made.insert(lead_turns).values(pipeline=pipeline, body=body)
            connection.execute(
                statement.on_conflict_do_update(index_elements=[lead_turns.c.pipeline], set_={"body": body})
            )


def _wanted(pipeline: str, states: Sequence[str], seen_by: str | None) -> ColumnElement[bool]:
    wanted: ColumnElement[bool] = leads.c.state.in_(states)
    if pipeline:
        wanted &= leads.c.pipeline == pipeline
    if seen_by is not None:
        wanted &= leads.c.owner.in_(("", seen_by))
    return wanted & true()


def _lead(row: Any) -> Lead:
    return Lead(**row._mapping)


def _write_entries(connection: Connection, lead: Lead, entries: Sequence[LeadEntry]) -> None:
    _insert(connection, lead_entries, lead, [msgspec.structs.asdict(entry) for entry in entries])


def _owe(connection: Connection, lead: Lead, notice: LeadNotice) -> None:
    _insert(connection, lead_notices, lead, [msgspec.structs.asdict(notice)])


def _insert(connection: Connection, table: Table, lead: Lead, rows: Sequence[dict[str, Any]]) -> None:
    whose = {"lead_id": lead.id, "token": lead.token, "other_token": lead.other_token}
    if rows:
        connection.execute(insert(table), [{**row, **whose} for row in rows])


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
