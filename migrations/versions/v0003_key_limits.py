"""what a key may do."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Not begun."""


def downgrade() -> None:
    """Not begun."""
