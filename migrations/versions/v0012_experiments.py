"""experiments and what was decided about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "experiment",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("weights", JSON, nullable=False),
        sa.Column("arms", JSON, nullable=False),
        sa.Column("design", JSON, nullable=False),
        sa.Column("counted", JSON, nullable=False),
        sa.Column("weighed_at", WHEN, nullable=True),
        sa.Column("decided", sa.String(length=100), nullable=True),
        sa.Column("decided_at", WHEN, nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("recorded_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_experiment")),
    )


def downgrade() -> None:
    op.drop_table("experiment")
