"""how fast, and when it is too fast."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("pause_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["pause_id"], ["pause.id"], name=op.f("fk_alarm_pause_id_pause")),
        sa.PrimaryKeyConstraint("pause_id", name=op.f("pk_alarm")),
    )
    op.create_index(
        "ix_alarm_untold",
        "alarm",
        ["recorded_at"],
        unique=False,
        sqlite_where=sa.text("told_at IS NULL"),
        postgresql_where=sa.text("told_at IS NULL"),
    )
    with op.batch_alter_table("effect", schema=None) as batch_op:
        batch_op.drop_index("ix_effect_contact_id")
        batch_op.create_index("ix_effect_contact_id_at", ["contact_id", "at"], unique=False)
    with op.batch_alter_table("enrollment", schema=None) as batch_op:
        batch_op.create_index(
            "ix_enrollment_let_in",
            ["journey", "entered_at"],
            unique=False,
            sqlite_where=sa.text("cause IS NULL"),
            postgresql_where=sa.text("cause IS NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("enrollment", schema=None) as batch_op:
        batch_op.drop_index("ix_enrollment_let_in")
    with op.batch_alter_table("effect", schema=None) as batch_op:
        batch_op.drop_index("ix_effect_contact_id_at")
        batch_op.create_index("ix_effect_contact_id", ["contact_id"], unique=False)
    op.drop_table("alarm")
