from __future__ import annotations

from tests.road.conftest import temporal

__all__ = ["temporal"]
