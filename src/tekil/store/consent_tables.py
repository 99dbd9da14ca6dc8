"""The tables of consents, of what İYS was told of them, and of the request desk."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from tekil.store.erasing import kept, pseudonymised, rows_of
from tekil.store.tables import metadata

# Nobody's address is here: a person is known by the token of one of their identifiers.

consents = Table(
    "consents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("token", String(64), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("given", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("source", String(64), nullable=False),
    Column("text_version", String(64), nullable=False),
    Column("proof", Text, nullable=False),
    Column("recorded_by", String(128), nullable=False),
    Index("consents_token", "token"),
    Index("consents_recorded_at", "recorded_at"),
    info=pseudonymised(
        "token", "that consents were given and withdrawn must be provable", kind="erased", proof="{}"
    ),
)
"""Append-only: what was given or withdrawn, when, and how that can be proven."""

consent_days = Table(
    "consent_days",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("purpose", String(64), primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("change", BigInteger, nullable=False),
    info=kept("counts"),
)
"""By how many the valid consents grew or shrank on a day (days since the epoch, UTC)."""

consent_sightings = Table(
    "consent_sightings",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("purpose", String(64), primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("given", Boolean, primary_key=True),
    Column("body", Text, nullable=False),
    info=rows_of(token="token"),
)
"""The last message that said a choice, though it said nothing new: needed when an older one comes late."""

consent_texts = Table(
    "consent_texts",
    metadata,
    Column("version", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    info=kept("texts of the company"),
)
"""What people had before their eyes when they chose, by the version that their entries name."""

iys_records = Table(
    "iys_records",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("type", String(8), nullable=False),
    Column("recipient_type", String(8), nullable=False),
    Column("status", String(8), nullable=False),
    Column("source", String(32), nullable=False),
    Column("consent_at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    Column("late", Boolean, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("place", Integer, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("iys_records_state", "state"),
    Index("iys_records_token", "token"),
    info=pseudonymised(
        "token",
        "what İYS was told must be provable",
        unfinished=("state", ("waiting", "sent")),
        kind="erased",
    ),
)
"""Each consent that İYS must know of, and how far it has come."""

iys_marks = Table(
    "iys_marks",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", String(128), nullable=False),
    info=kept("how far things were read"),
)
"""How far İYS's changes have been read, and how far the ledger has been looked through."""

subject_requests = Table(
    "subject_requests",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("subject_kind", String(32), nullable=False),
    Column("token", String(64), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("channel", String(32), nullable=False),
    Column("identity", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("notes", Text, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("closed_at", BigInteger),
    Column("closed_by", String(128), nullable=False),
    Index("subject_requests_due", "status", "due_at"),
    Index("subject_requests_token", "token"),
    info=pseudonymised("token", "that a request was answered must be provable", notes=""),
)
"""What people asked for by right, until when it must be answered, and what was answered."""
