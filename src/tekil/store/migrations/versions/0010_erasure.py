"""The destruction log, and tombstones of those who were erased."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "destructions",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("hashes", sa.Text, nullable=False),
        sa.Column("proof", sa.Text, nullable=False),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("keep_until", sa.BigInteger, nullable=False),
    )
    op.create_index("destructions_at", "destructions", ["kind", "at"])
    op.create_table(
        "tombstones",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("destruction", sa.String(16), nullable=False, index=True),
    )
