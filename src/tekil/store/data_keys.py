"""Data keys, wrapped: worthless without the master key, and what they sealed worthless without them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tekil.store.clock import Begin, now_us
from tekil.store.tables import data_keys


class DataKey(msgspec.Struct, frozen=True):
    """A wrapped key. `master` names the master key that wrapped it; `number` counts a purpose's keys."""

    id: int
    purpose: str
    number: int
    wrapped: bytes
    master: str
    created_at: int


_COLUMNS = [data_keys.c[name] for name in DataKey.__struct_fields__]


class DataKeys:
    """Reads and writes of wrapped keys."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def newest(self, purpose: str) -> DataKey | None:
        """Return the newest key of a purpose, or nothing where there is none."""
        query = select(*_COLUMNS).where(data_keys.c.purpose == purpose).order_by(data_keys.c.number.desc())
        with self._begin() as connection:
            row = connection.execute(query.limit(1)).first()
        return None if row is None else DataKey(*row)

    def get(self, key_id: int) -> DataKey | None:
        """Return a key, or nothing where it was destroyed."""
        with self._begin() as connection:
            row = connection.execute(select(*_COLUMNS).where(data_keys.c.id == key_id)).first()
        return None if row is None else DataKey(*row)

    def all(self) -> list[DataKey]:
        """Return all keys, oldest first."""
        with self._begin() as connection:
            return [DataKey(*row) for row in connection.execute(select(*_COLUMNS).order_by(data_keys.c.id))]

    def add(self, purpose: str, wrapped: bytes, master: str, *, anew: bool) -> DataKey:
        """Keep a key and return the newest of its purpose.

        Unless it is made `anew`, a key that another process has made a moment before stays the one.
        """
        newest = self.newest(purpose)
        number = newest.number + 1 if newest is not None and anew else 0
        row = {"purpose": purpose, "number": number, "wrapped": wrapped, "master": master}
        with self._begin() as connection:
            make = postgresql if connection.dialect.name == "postgresql" else sqlite
            connection.execute(
                make.insert(data_keys).values(**row, created_at=now_us()).on_conflict_do_nothing()
            )
        kept = self.newest(purpose)
        assert kept is not None, "a key that was just kept, or met another that was"
        return kept

    def rewrap(self, wrap: Callable[[DataKey], bytes], master: str) -> int:
        """Replace every key's wrapping, all or none; return how many keys there are."""
        with self._begin() as connection:
            rows = [DataKey(*row) for row in connection.execute(select(*_COLUMNS))]
            for key in rows:
                renewed = update(data_keys).where(data_keys.c.id == key.id)
                connection.execute(renewed.values(wrapped=wrap(key), master=master))
        return len(rows)

    def destroy(self, key_id: int) -> None:
        """Delete a key for ever."""
        with self._begin() as connection:
            if connection.dialect.name == "sqlite":
                # What SQLite deletes it only forgets, unless it is told to overwrite.
                connection.exec_driver_sql("pragma secure_delete = on")
            connection.execute(delete(data_keys).where(data_keys.c.id == key_id))
