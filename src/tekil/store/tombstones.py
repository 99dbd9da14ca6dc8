"""Tombstones as they are kept: keyed hashes of erased persons' identifiers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from tekil.store.clock import Begin
from tekil.store.erasure_tables import tombstones


class Tombstone(msgspec.Struct, frozen=True):
    """One identifier of somebody who was erased, at an instant (microseconds since the epoch, UTC).

    `hash` is a keyed hash; `sealed` holds what messages are compared with, and opens only by our keys.
    """

    hash: str
    erased_at: int
    sealed: bytes
    destruction: str


class TombstoneRows:
    """Reads and writes of tombstones."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def set(self, stones: Sequence[Tombstone]) -> None:
        """Keep tombstones, in one transaction. Of somebody erased again the later instant counts."""
        if not stones:
            return
        with self._begin() as connection:
            make = postgresql if connection.dialect.name == "postgresql" else sqlite
            statement = make.insert(tombstones)
            renewed = {name: statement.excluded[name] for name in ("erased_at", "sealed", "destruction")}
            connection.execute(
                statement.on_conflict_do_update(index_elements=[tombstones.c.hash], set_=renewed),
                [msgspec.structs.asdict(stone) for stone in stones],
            )

    def all(self) -> list[Tombstone]:
        """Return all tombstones."""
        with self._begin() as connection:
            return [Tombstone(*row) for row in connection.execute(select(tombstones))]

    def get(self, hash: str) -> Tombstone | None:
        """Return the tombstone of an identifier's hash, where there is one."""
        with self._begin() as connection:
            row = connection.execute(select(tombstones).where(tombstones.c.hash == hash)).first()
        return None if row is None else Tombstone(*row)

    def of_destruction(self, destruction: str) -> list[Tombstone]:
        """Return the tombstones that one erasure set."""
        query = select(tombstones).where(tombstones.c.destruction == destruction)
        with self._begin() as connection:
            return [Tombstone(*row) for row in connection.execute(query)]

    def count(self) -> int:
        """Return how many there are."""
        with self._begin() as connection:
            return int(connection.execute(select(func.count()).select_from(tombstones)).scalar_one())
