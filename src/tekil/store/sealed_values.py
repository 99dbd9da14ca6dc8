"""The vault's rows: personal values as ciphertext, by token."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tekil.store.clock import Begin
from tekil.store.tables import sealed_values

CHUNK = 500
"""Values in one IN list; SQLite and PostgreSQL both plan that well."""


class SealedValue(msgspec.Struct, frozen=True):
    """A personal value, sealed by the data key `key_id`; `mask` is what anybody may see of it."""

    token: str
    key_id: int
    sealed: bytes
    mask: str


_COLUMNS = [sealed_values.c[name] for name in SealedValue.__struct_fields__]
_GET = select(*_COLUMNS).where(sealed_values.c.token.in_(bindparam("tokens", expanding=True)))
_RENEW = (
    update(sealed_values)
    .where(sealed_values.c.token == bindparam("of_token"))
    .values(key_id=bindparam("new_key_id"), sealed=bindparam("new_sealed"))
)


class SealedValues:
    """Reads and writes of the vault's rows."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def add(self, values: Sequence[SealedValue]) -> None:
        """Keep values, in one transaction. One whose token is kept already stays as it is."""
        if not values:
            return
        with self._begin() as connection:
            make = postgresql if connection.dialect.name == "postgresql" else sqlite
            connection.execute(
                make.insert(sealed_values).on_conflict_do_nothing(),
                [msgspec.structs.asdict(value) for value in values],
            )

    def get_many(self, tokens: Sequence[str]) -> list[SealedValue]:
        """Return the values of those tokens that are kept."""
        found: list[SealedValue] = []
        with self._begin() as connection:
            for start in range(0, len(tokens), CHUNK):
                rows = connection.execute(_GET, {"tokens": list(tokens[start : start + CHUNK])})
                found += [SealedValue(*row) for row in rows]
        return found

    def sealed_by_others(self, key_id: int, limit: int) -> list[SealedValue]:
        """Return some values that another key than `key_id` sealed."""
        query = select(*_COLUMNS).where(sealed_values.c.key_id != key_id).limit(limit)
        with self._begin() as connection:
            return [SealedValue(*row) for row in connection.execute(query)]

    def renew(self, values: Sequence[SealedValue]) -> None:
        """Put a new ciphertext in the old one's place, in one transaction."""
        rows = [{"of_token": v.token, "new_key_id": v.key_id, "new_sealed": v.sealed} for v in values]
        if rows:
            with self._begin() as connection:
                connection.execute(_RENEW, rows)

    def remove(self, tokens: Sequence[str]) -> int:
        """Delete values, in one transaction; return how many there were."""
        gone = 0
        with self._begin() as connection:
            for start in range(0, len(tokens), CHUNK):
                some = sealed_values.c.token.in_(tokens[start : start + CHUNK])
                gone += connection.execute(delete(sealed_values).where(some)).rowcount
        return gone

    def count(self) -> int:
        """Return how many values there are."""
        with self._begin() as connection:
            return int(connection.execute(select(func.count()).select_from(sealed_values)).scalar_one())
