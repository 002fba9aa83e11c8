"""The door of the API's tests, with forms of these tests' own where they are wanted."""

from __future__ import annotations

from tests.api.conftest import door

__all__ = ["door"]
