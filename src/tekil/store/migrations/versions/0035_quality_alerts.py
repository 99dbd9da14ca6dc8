"""Quality alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0033"


def upgrade() -> None:
    op.create_table(
        "quality_alerts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("messages", sa.BigInteger, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("owes_opened", sa.Boolean, nullable=False),
        sa.Column("owes_closed", sa.Boolean, nullable=False),
    )
    op.create_index("ix_quality_alerts_closed_at", "quality_alerts", ["closed_at"])
