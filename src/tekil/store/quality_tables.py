"""The table of quality alerts: what is wrong with what sources say, since when, and who was told."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text

from tekil.store.erasing import kept
from tekil.store.tables import metadata

quality_alerts = Table(
    "quality_alerts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("source", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("messages", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    # What the webhook has still to be told.
    Column("owes_opened", Boolean, nullable=False),
    Column("owes_closed", Boolean, nullable=False),
    Index("ix_quality_alerts_closed_at", "closed_at"),
    info=kept("sources and fields, not people"),
)
