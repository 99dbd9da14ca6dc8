"""The destruction log: what was destroyed, on whose word, and the proof. Kept three years, then forgotten."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, delete, insert, select, update

from tekil.errors import NotFound
from tekil.store.clock import Begin, now_us
from tekil.store.erasure_tables import destructions

KEPT_US = 3 * 366 * 86_400 * 1_000_000
"""How long an entry is kept (microseconds): three years at least, as Turkey's by-law on destruction wants."""

Kind = Literal["erasure", "retention"]
"""A person was erased, or the time of some data was over."""


UNSWEPT_MAX = 10_000
"""Erasures looked back on for some whose bytes are still in the warehouse's file."""


class Destruction(msgspec.Struct, frozen=True):
    """One entry. Instants in microseconds since the epoch (UTC).

    `reason` is a request's id or a definition's name; `counts` says how many rows (or days, or files) went
    in each place; `hashes` are keyed hashes of whom it concerned, never values; `proof` is what was looked
    through afterwards, and found. `done_at` is nothing while it is under way.
    """

    id: str
    at: int
    kind: Kind
    actor: str
    reason: str
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    hashes: list[str] = msgspec.field(default_factory=list)
    proof: dict[str, Any] = msgspec.field(default_factory=dict)
    done_at: int | None = None
    keep_until: int = 0


_TEXTS = ("counts", "hashes", "proof")


class Destructions:
    """Reads and writes of the destruction log."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def begin(
        self,
        kind: Kind,
        actor: str,
        reason: str,
        *,
        counts: Mapping[str, int] | None = None,
        hashes: Sequence[str] = (),
        at: int | None = None,
    ) -> Destruction:
        """Put on record that a destruction begins: before anything is gone, so that a crash leaves a trace.

        `counts` is what is planned.
        """
        when = now_us() if at is None else at
        entry = Destruction(
            secrets.token_hex(6),
            when,
            kind,
            actor[:128],
            reason[:200],
            dict(counts or {}),
            list(hashes),
            keep_until=when + KEPT_US,
        )
        row = {**msgspec.structs.asdict(entry), **{name: _text(getattr(entry, name)) for name in _TEXTS}}
        with self._begin() as connection:
            connection.execute(insert(destructions).values(**row))
        return entry

    def finish(
        self,
        destruction_id: str,
        counts: Mapping[str, int],
        proof: Mapping[str, Any] | None = None,
        *,
        at: int | None = None,
    ) -> Destruction:
        """Put on record what went, and the proof. Raises `NotFound` for an entry that there is not."""
        values = {"counts": _text(dict(counts)), "proof": _text(dict(proof or {}))}
        done_at = now_us() if at is None else at
        statement = update(destructions).where(destructions.c.id == destruction_id)
        with self._begin() as connection:
            connection.execute(statement.values(**values, done_at=done_at))
        return self.get(destruction_id)

    def get(self, destruction_id: str) -> Destruction:
        """Return an entry. Raises `NotFound` where there is none of that id."""
        query = select(destructions).where(destructions.c.id == destruction_id)
        with self._begin() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound(
                f"There is no destruction {destruction_id!r} on record.", code="destruction_unknown"
            )
        return _entry(row)

    def newest(self, limit: int = 100, *, kind: Kind | None = None, reason: str = "") -> list[Destruction]:
        """Return entries, newest first; of a kind, or for a reason, where one is given."""
        c = destructions.c
        query = select(destructions).order_by(c.at.desc(), c.id).limit(limit)
        if kind is not None:
            query = query.where(c.kind == kind)
        if reason:
            query = query.where(c.reason == reason)
        with self._begin() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def unfinished(self, kind: Kind) -> list[Destruction]:
        """Return the entries that were begun and not finished, oldest first."""
        c = destructions.c
        query = select(destructions).where(c.kind == kind, c.done_at.is_(None)).order_by(c.at, c.id)
        with self._begin() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def unswept(self) -> list[Destruction]:
        """Return the erasures that are done, newest first, whose bytes may lie in the warehouse's file."""
        done = self.newest(UNSWEPT_MAX, kind="erasure")
        return [entry for entry in done if entry.done_at is not None and entry.proof.get("swept_at") is None]

    def forget(self, now: int) -> int:
        """Delete the entries whose own time is over at an instant; return how many."""
        with self._begin() as connection:
            gone = connection.execute(delete(destructions).where(destructions.c.keep_until <= now))
        return int(gone.rowcount)


def _text(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


def _entry(row: Row[Any]) -> Destruction:
    told = dict(zip(Destruction.__struct_fields__, row, strict=True))
    read = {name: msgspec.json.decode(told[name]) for name in _TEXTS}
    return msgspec.convert({**told, **read}, Destruction)
