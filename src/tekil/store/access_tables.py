"""Tables of the ways in, and of the ways out: passkeys, identities elsewhere, known devices, connections."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, String, Table, Text

from tekil.store.erasing import kept
from tekil.store.tables import metadata

connections = Table(
    "connections",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("grant", String(32), nullable=False),
    Column("place", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("error", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("expires_at", BigInteger),
    Column("refreshing_until", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    info=kept("other systems, not people"),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_name", String(128), nullable=False, index=True),
    Column("handle", String(64), nullable=False),
    Column("title", String(64), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("synced", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("suspect_at", BigInteger),
    info=kept("colleagues, not customers"),
)

external_identities = Table(
    "external_identities",
    metadata,
    Column("issuer", String(512), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("user_name", String(128), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    info=kept("colleagues, not customers"),
)

devices = Table(
    "devices",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_name", String(128), primary_key=True, index=True),
    Column("seen_at", BigInteger, nullable=False),
    info=kept("colleagues, not customers"),
)
