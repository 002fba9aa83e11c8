"""opens and clicks: of which links, and by whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "touch",
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("template", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=8), nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("page", sa.String(length=300), nullable=True),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("why", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("recorded_at", WHEN, nullable=False),
        sa.Column("due_at", WHEN, nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_touch_contact_id_contact")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_touch")),
    )
    op.create_index(op.f("ix_touch_contact_id"), "touch", ["contact_id"])
    op.create_index(op.f("ix_touch_message"), "touch", ["message"])
    op.create_index("ix_touch_template_what", "touch", ["template", "what"])
    held = sa.text("due_at IS NOT NULL")
    op.create_index("ix_touch_due_at", "touch", ["due_at"], sqlite_where=held, postgresql_where=held)


def downgrade() -> None:
    op.drop_table("touch")
