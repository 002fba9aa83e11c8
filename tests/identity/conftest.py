"""The door of the API, for what is seen from outside."""

from __future__ import annotations

from tests.api.conftest import door

__all__ = ["door"]
