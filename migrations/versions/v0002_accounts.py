"""accounts, who belongs to them, and what was said under each identity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "said",
        sa.Column("identity", sa.String(length=280), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("traits", JSON, nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_said_contact_id_contact")),
        sa.PrimaryKeyConstraint("identity", name=op.f("pk_said")),
    )
    op.create_index(op.f("ix_said_contact_id"), "said", ["contact_id"], unique=False)
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=256), nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("said", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_table(
        "account_member",
        sa.Column("account_id", sa.String(length=256), nullable=False),
        sa.Column("identity", sa.String(length=280), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_member_account_id_account")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_account_member_contact_id_contact")),
        sa.PrimaryKeyConstraint("account_id", "identity", name=op.f("pk_account_member")),
    )
    op.create_index(op.f("ix_account_member_contact_id"), "account_member", ["contact_id"], unique=False)


def downgrade() -> None:
    op.drop_table("account_member")
    op.drop_table("account")
    op.drop_table("said")
