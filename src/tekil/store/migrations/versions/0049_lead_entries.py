"""What happened to leads, what is to be done about them, and what the webhook has to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    op.create_table(
        "lead_entries",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("lead_id", sa.String(16), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("other_token", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
    )
    op.create_index("ix_lead_entries_lead_id", "lead_entries", ["lead_id"])
    op.create_index("ix_lead_entries_other_token", "lead_entries", ["other_token"])
    op.create_index("ix_lead_entries_token", "lead_entries", ["token"])
    op.create_table(
        "lead_tasks",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("lead_id", sa.String(16), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("other_token", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("is_reminded", sa.Boolean, nullable=False),
    )
    op.create_index("ix_lead_tasks_due_at", "lead_tasks", ["due_at"])
    op.create_index("ix_lead_tasks_lead_id", "lead_tasks", ["lead_id"])
    op.create_index("ix_lead_tasks_other_token", "lead_tasks", ["other_token"])
    op.create_index("ix_lead_tasks_token", "lead_tasks", ["token"])
    op.create_table(
        "lead_notices",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("lead_id", sa.String(16), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("other_token", sa.String(64), nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_lead_notices_at", "lead_notices", ["at"])
    op.create_index("ix_lead_notices_other_token", "lead_notices", ["other_token"])
    op.create_index("ix_lead_notices_token", "lead_notices", ["token"])
