"""Puts the application's folders into the wheel as `tabiji/_scaffold`, for `tabiji new`.

Not into an editable install: there the repository itself is the scaffold, and a copy would go stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CarryScaffold(BuildHookInterface[Any]):
    """Reads the list `scaffold` of its own table in pyproject.toml."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See base class."""
        if version == "editable":
            return
        for name in self.config["scaffold"]:
            build_data["force_include"][str(Path(self.root) / name)] = f"tabiji/_scaffold/{name}"
