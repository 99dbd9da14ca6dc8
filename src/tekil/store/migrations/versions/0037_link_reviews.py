"""Pairs of people who are alike, for somebody to look at."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0035"


def upgrade() -> None:
    op.create_table(
        "link_reviews",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("left_name", sa.Text, nullable=False),
        sa.Column("right_name", sa.Text, nullable=False),
        sa.Column("left_token", sa.String(64), nullable=False),
        sa.Column("right_token", sa.String(64), nullable=False),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("levels", sa.Text, nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(128), nullable=False),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("found_at", sa.BigInteger, nullable=False),
    )
    op.create_index("link_reviews_decision", "link_reviews", ["decision", "weight"])
    op.create_index("link_reviews_left", "link_reviews", ["left_token"])
    op.create_index("link_reviews_right", "link_reviews", ["right_token"])
