"""The tables of what was destroyed, and of who is never to come back."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Text

from tekil.store.erasing import kept
from tekil.store.tables import metadata

# Nobody's value is here: who was erased is known by keyed hashes alone.

destructions = Table(
    "destructions",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("actor", String(128), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("counts", Text, nullable=False),
    Column("hashes", Text, nullable=False),
    Column("proof", Text, nullable=False),
    Column("done_at", BigInteger),
    Column("keep_until", BigInteger, nullable=False),
    Index("destructions_at", "kind", "at"),
    info=kept("keyed hashes, for three years"),
)
"""What was destroyed, when, on whose word, how much of it in each place, and how that was looked after."""

tombstones = Table(
    "tombstones",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("destruction", String(16), nullable=False, index=True),
    info=kept("keyed hashes, so that nothing comes back"),
)
"""Identifiers of erased persons: their keyed hashes, and sealed what the loader compares messages with."""
