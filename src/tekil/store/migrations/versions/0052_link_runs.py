"""Searches for people who are alike: when, by whom, and what they found."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0037"


def upgrade() -> None:
    op.create_table(
        "link_runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("started_by", sa.String(128), nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("linked", sa.Integer, nullable=False),
        sa.Column("taken_back", sa.Integer, nullable=False),
        sa.Column("waiting", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
    )
