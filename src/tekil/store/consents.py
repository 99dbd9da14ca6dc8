"""The consent ledger as it is kept: entries are added and never changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tekil.store.clock import Begin, now_us
from tekil.store.consent_entries import (
    Entry,
    Stream,
    by_stream,
    daily_changes,
    in_order,
    settle,
)
from tekil.store.consent_tables import consent_days, consent_sightings, consent_texts, consents

NO_PROOF = "{}"

CHUNK = 500
"""Values in one IN list."""

LEDGER_LOCK = 7436018
"""The advisory lock of those who add to the ledger, where the database has no lock of its own for that."""


class Change(msgspec.Struct, frozen=True):
    """By how many the valid consents for a purpose and a channel changed on a `day` since the epoch."""

    day: int
    purpose: str
    channel: str
    change: int


class Total(msgspec.Struct, frozen=True):
    """How many consents for a purpose and a channel are valid."""

    purpose: str
    channel: str
    given: int


class Observed(msgspec.Struct, frozen=True):
    """How many entries observations gave, and the tokens of which nothing as late was observed before."""

    entries: int = 0
    latest: frozenset[str] = frozenset()


class Consents:
    """Reads and writes of the consent ledger. Safe for many threads and processes."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def append(self, entries: Sequence[Entry]) -> int:
        """Add entries; return how many were new. The same again changes nothing."""
        if not entries:
            return 0
        with self._begin() as connection:
            _lock(connection)
            known = by_stream(_entries_of(connection, {entry.token for entry in entries}))
            return _write(connection, entries, known)

    def observe(self, observed: Sequence[Entry]) -> Observed:
        """Add what messages said and nobody knew yet; return what that gave. See `settle`."""
        if not observed:
            return Observed()
        tokens = {entry.token for entry in observed}
        with self._begin() as connection:
            _lock(connection)
            known = by_stream(_entries_of(connection, tokens))
            seen = _sightings_of(connection, tokens)
            new: list[Entry] = []
            sightings: list[Entry] = []
            for stream, said in by_stream(observed).items():
                before = seen.get(stream, {})
                added, after = settle(known.get(stream, []), before, said)
                new += added
                sightings += [entry for given, entry in after.items() if before.get(given) != entry]
            _keep_sightings(connection, sightings)
            return Observed(_write(connection, new, known), _latest(observed, seen))

    def of(self, tokens: Iterable[str]) -> list[Entry]:
        """Return all entries of some identifiers' tokens, oldest choice first."""
        with self._begin() as connection:
            return in_order(_entries_of(connection, set(tokens)))

    def newest(self, limit: int = 50) -> list[Entry]:
        """Return the entries recorded last, newest first."""
        order = select(consents).order_by(consents.c.recorded_at.desc(), consents.c.id).limit(limit)
        with self._begin() as connection:
            return [Entry(*row) for row in connection.execute(order)]

    def totals(self) -> list[Total]:
        """Return how many consents are valid now, by purpose and channel."""
        grouped = (consent_days.c.purpose, consent_days.c.channel)
        query = select(*grouped, func.sum(consent_days.c.change)).group_by(*grouped).order_by(*grouped)
        with self._begin() as connection:
            return [Total(p, c, int(given)) for p, c, given in connection.execute(query)]

    def changes(self) -> list[Change]:
        """Return the changes of all days, oldest first."""
        query = select(consent_days).order_by(consent_days.c.day)
        with self._begin() as connection:
            return [Change(*row) for row in connection.execute(query)]

    def proofs_over(self, before: int) -> int:
        """Return how many choices were changed before an instant (microseconds) and still have a proof."""
        with self._begin() as connection:
            return int(connection.execute(select(func.count()).where(_changed(before))).scalar_one())

    def forget_proofs(self, before: int) -> int:
        """Empty the proofs of choices that were changed before an instant; return how many.

        The choice itself stays: the ledger is added to, and what is valid follows from all of it.
        """
        with self._begin() as connection:
            _lock(connection)
            return int(
                connection.execute(update(consents).where(_changed(before)).values(proof=NO_PROOF)).rowcount
            )

    def keep_text(self, version: str, text: str) -> None:
        """Keep the text that entries of a version rest on; one that is kept already stays."""
        with self._begin() as connection:
            statement = _insert(connection, consent_texts).on_conflict_do_nothing()
            connection.execute(statement, {"version": version, "text": text, "first_at": now_us()})

    def text(self, version: str) -> str | None:
        """Return the text of a version, or nothing where it was never kept."""
        query = select(consent_texts.c.text).where(consent_texts.c.version == version)
        with self._begin() as connection:
            return connection.execute(query).scalar_one_or_none()


def _changed(before: int) -> ColumnElement[bool]:
    """Return the condition of entries that a later one of the same stream took the place of."""
    later = consents.alias()
    same = (
        (later.c.token == consents.c.token)
        & (later.c.purpose == consents.c.purpose)
        & (later.c.channel == consents.c.channel)
        & (later.c.at > consents.c.at)
        & (later.c.at < before)
    )
    return (consents.c.proof != NO_PROOF) & exists().where(same)


def _lock(connection: Connection) -> None:
    """Let one writer at a time in: what an entry changes is worked out from those that are there."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({LEDGER_LOCK})")
    else:
        connection.exec_driver_sql("begin immediate")


def _write(connection: Connection, entries: Sequence[Entry], known: dict[Stream, list[Entry]]) -> int:
    there = {entry.id for of in known.values() for entry in of}
    new = {entry.id: entry for entry in entries if entry.id not in there}
    if not new:
        return 0
    connection.execute(insert(consents), [msgspec.structs.asdict(entry) for entry in new.values()])
    changes: Counter[tuple[int, str, str]] = Counter()
    for stream, added in by_stream(new.values()).items():
        before = known.get(stream, [])
        difference = daily_changes([*before, *added])
        difference.subtract(daily_changes(before))
        for day, change in difference.items():
            changes[(day, *stream[1:])] += change
    names = consent_days.c.keys()
    rows = [dict(zip(names, (*key, n), strict=True)) for key, n in changes.items() if n]
    if rows:
        statement = _insert(connection, consent_days)
        grown = consent_days.c.change + statement.excluded.change
        key = consent_days.primary_key.columns
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_={"change": grown}), rows)
    return len(new)


def _entries_of(connection: Connection, tokens: set[str]) -> list[Entry]:
    return [
        Entry(*row)
        for some in _chunks(sorted(tokens))
        for row in connection.execute(select(consents).where(consents.c.token.in_(some)))
    ]


def _sightings_of(connection: Connection, tokens: set[str]) -> dict[Stream, dict[bool, Entry]]:
    found: dict[Stream, dict[bool, Entry]] = {}
    for some in _chunks(sorted(tokens)):
        query = select(consent_sightings.c.body).where(consent_sightings.c.token.in_(some))
        for body in connection.execute(query).scalars():
            entry = msgspec.json.decode(body, type=Entry)
            found.setdefault(entry.stream, {})[entry.given] = entry
    return found


def _latest(observed: Sequence[Entry], seen: dict[Stream, dict[bool, Entry]]) -> frozenset[str]:
    known: dict[str, int] = {}
    for (token, *_), sightings in seen.items():
        known[token] = max(known.get(token, 0), *(entry.at for entry in sightings.values()), 0)
    return frozenset(e.token for e in observed if e.token not in known or e.at > known[e.token])


def _keep_sightings(connection: Connection, sightings: Sequence[Entry]) -> None:
    if not sightings:
        return
    rows = [
        {
            "token": entry.token,
            "purpose": entry.purpose,
            "channel": entry.channel,
            "given": entry.given,
            "body": msgspec.json.encode(entry).decode(),
        }
        for entry in sightings
    ]
    statement = _insert(connection, consent_sightings)
    key = consent_sightings.primary_key.columns
    body = {"body": statement.excluded.body}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=body), rows)


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def _insert(connection: Connection, table: Table) -> Any:
    """Return an INSERT that may say what to do where the key is there already."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
