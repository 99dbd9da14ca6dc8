"""Browsers that somebody has signed in with."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.create_table(
        "devices",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("user_name", sa.String(128), primary_key=True, index=True),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
