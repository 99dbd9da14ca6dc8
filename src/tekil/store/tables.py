"""The store's tables, as SQLAlchemy Core knows them. Alembic's migrations make them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, String, Table, Text

metadata = MetaData()

# Instants are microseconds since the epoch (UTC) in every table: the same in SQLite and PostgreSQL.

sources = Table(
    "sources",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

write_keys = Table(
    "write_keys",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("source", String(64), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
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
)

users = Table(
    "users",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_name", String(128), nullable=False, index=True),
    Column("expires_at", BigInteger, nullable=False),
)

cards = Table(
    "cards",
    metadata,
    Column("person_id", String(32), primary_key=True),
    Column("body", Text, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Index("cards_last_seen", "last_seen"),
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
)

marks = Table(
    "marks",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
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
)
