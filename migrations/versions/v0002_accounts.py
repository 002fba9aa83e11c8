"""accounts, who belongs to them, and merged contacts."""

from __future__ import annotations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Not begun."""


def downgrade() -> None:
    """Not begun."""
