"""Leads: what became of each, and how they were handed out."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0052"


def upgrade() -> None:
    op.create_table(
        "leads",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("other_token", sa.String(64), nullable=False),
        sa.Column("name_kind", sa.String(64), nullable=False),
        sa.Column("name_value", sa.Text, nullable=False),
        sa.Column("identifier_key", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("anonymous_id", sa.Text, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("form", sa.String(200), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("value", sa.BigInteger),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("pipeline", sa.String(64), nullable=False),
        sa.Column("stage", sa.String(64), nullable=False),
        sa.Column("stage_since", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("passed", sa.Text, nullable=False),
        sa.Column("assigned_at", sa.BigInteger),
        sa.Column("accept_by", sa.BigInteger),
        sa.Column("accepted_at", sa.BigInteger),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("contacted_at", sa.BigInteger),
        sa.Column("breaches", sa.Integer, nullable=False),
        sa.Column("breached_at", sa.BigInteger),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("lost_reason", sa.String(64), nullable=False),
        sa.Column("quality", sa.String(16), nullable=False),
        sa.Column("duplicate_of", sa.String(16), nullable=False),
        sa.Column("look_at", sa.BigInteger),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_leads_board", "leads", ["pipeline", "state", "owner"])
    op.create_index("ix_leads_look_at", "leads", ["look_at"])
    op.create_index("ix_leads_other_token", "leads", ["other_token"])
    op.create_index("ix_leads_token", "leads", ["token"])
    op.create_table(
        "lead_turns",
        sa.Column("pipeline", sa.String(64), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
