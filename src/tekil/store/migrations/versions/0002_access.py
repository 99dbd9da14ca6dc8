"""Access: the audit trail, roles, sessions, second factors, failures, keys that end and rotate."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    audit()
    op.add_column("users", sa.Column("roles", sa.Text, nullable=False, server_default="administrator"))
    op.add_column("users", sa.Column("condition", sa.Text))
    op.add_column("users", sa.Column("must_change", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("users", sa.Column("disabled_at", sa.BigInteger))
    for name in ("expires_at", "last_used_at", "previous_until"):
        op.add_column("api_keys", sa.Column(name, sa.BigInteger))
    op.add_column("api_keys", sa.Column("previous_hash", sa.String(64)))
    op.create_index("ix_api_keys_previous_hash", "api_keys", ["previous_hash"])
    op.add_column("api_keys", sa.Column("condition", sa.Text))
    # A session lasts hours at most, so whoever is signed in signs in once more.
    op.drop_table("sessions")
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(16), nullable=False, unique=True),
        sa.Column("user_name", sa.String(128), nullable=False, index=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("second_factor_at", sa.BigInteger),
    )
    op.create_table(
        "second_factors",
        sa.Column("user_name", sa.String(128), primary_key=True),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("confirmed_at", sa.BigInteger),
        sa.Column("last_step", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("user_name", sa.String(128), nullable=False, index=True),
    )
    op.create_table(
        "access_tokens",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "failures",
        sa.Column("who", sa.String(64), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
    )


def audit() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("actor_kind", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False, index=True),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("act", sa.String(64), nullable=False, index=True),
        sa.Column("object_kind", sa.String(64), nullable=False),
        sa.Column("object_id", sa.String(512), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    beginning = hashlib.sha256(b"tekil audit trail").hexdigest()
    op.bulk_insert(head, [{"name": "head", "number": 0, "hash": beginning}])
