"""The store's tables, as SQLAlchemy Core knows them. Alembic's migrations make them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from tekil.store.erasing import erased_apart, kept, rows_of

metadata = MetaData()

# Instants are microseconds since the epoch (UTC) in every table: the same in SQLite and PostgreSQL.

sources = Table(
    "sources",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    info=kept("sources, not people"),
)

write_keys = Table(
    "write_keys",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("source", String(64), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    info=kept("keys of sources"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
    Column("previous_hash", String(64), index=True),
    Column("previous_until", BigInteger),
    Column("condition", Text),
    info=kept("keys of programs"),
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("key_id", String(16), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    info=kept("keys of programs"),
)

users = Table(
    "users",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("roles", Text, nullable=False, server_default="administrator"),
    Column("condition", Text),
    Column("must_change", Boolean, nullable=False, server_default=false()),
    Column("disabled_at", BigInteger),
    info=kept("colleagues, not customers"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("user_name", String(128), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("address", String(64), nullable=False),
    Column("second_factor_at", BigInteger),
    info=kept("colleagues, not customers"),
)

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_name", String(128), primary_key=True),
    Column("secret", Text, nullable=False),
    Column("confirmed_at", BigInteger),
    Column("last_step", BigInteger, nullable=False),
    info=kept("colleagues, not customers"),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("user_name", String(128), nullable=False, index=True),
    info=kept("colleagues, not customers"),
)

failures = Table(
    "failures",
    metadata,
    Column("who", String(64), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    info=kept("hashes of who failed to sign in, for minutes"),
)

cards = Table(
    "cards",
    metadata,
    Column("person_id", String(32), primary_key=True),
    Column("body", Text, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Index("cards_last_seen", "last_seen"),
    info=rows_of(person="person_id"),
)

# Compared byte by byte in every database, so that a search by prefix is one range of the index.
bytewise = String(512).with_variant(String(512, collation="C"), "postgresql")

identifiers = Table(
    "identifiers",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("value", bytewise, primary_key=True),
    Column("identifier_id", String(32), nullable=False, index=True),
    Column("person_id", String(32), nullable=False, index=True),
    Index("identifiers_value", "value"),
    info=rows_of(person="person_id"),
)

marks = Table(
    "marks",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
    info=kept("how far the engine is"),
)

data_keys = Table(
    "data_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("purpose", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("master", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("purpose", "number"),
    # An id that was destroyed is never given again: the log's rows name their key by it.
    sqlite_autoincrement=True,
    info=kept("keys"),
)

sealed_values = Table(
    "sealed_values",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("key_id", Integer, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("mask", Text, nullable=False),
    info=erased_apart("values go whose tokens no other person's rows hold"),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("actor_kind", String(16), nullable=False),
    Column("actor", String(128), nullable=False, index=True),
    Column("origin", String(64), nullable=False),
    Column("act", String(64), nullable=False, index=True),
    Column("object_kind", String(64), nullable=False),
    Column("object_id", String(512), nullable=False),
    Column("details", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    info=kept("the trail is chained and must stay whole; it names people by person id and token"),
)

# One row: the last entry's number and hash. Who appends changes it first, so appends follow each other.
audit_head = Table(
    "audit_head",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    info=kept("the trail's end"),
)

definitions = Table(
    "definitions",
    metadata,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("name", String(200), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("body", Text),
    Column("author", String(128), nullable=False),
    Column("note", Text, nullable=False),
    Column("applied_at", BigInteger, nullable=False),
    Index("definitions_by_name", "kind", "name", "version", unique=True),
    info=kept("what the company decided"),
)
