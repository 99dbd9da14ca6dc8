"""Sealed values by their tokens: what must be written to, or shown masked, and is nowhere in the clear."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from tekil.store.clock import Begin
from tekil.store.consent_tables import sealed_addresses


class Addresses:
    """Keeps sealed values. It cannot read them: the key is not in the store."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def keep(self, token: str, kind: str, sealed: str) -> None:
        """Keep a sealed value; one that is there already stays."""
        with self._begin() as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            statement = dialect.insert(sealed_addresses).on_conflict_do_nothing()
            connection.execute(statement, {"token": token, "kind": kind, "sealed": sealed})

    def find(self, token: str) -> tuple[str, str] | None:
        """Return the kind and the sealed value of a token, or nothing."""
        query = select(sealed_addresses).where(sealed_addresses.c.token == token)
        with self._begin() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.kind, row.sealed)
