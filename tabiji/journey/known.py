"""Which steps stand in the code of a journey: what lies ahead of somebody who comes from older code."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from tabiji.journey.map.graph import Graph
from tabiji.journey.map.read import read_map

if TYPE_CHECKING:
    from tabiji.journey.journey import Journey


def stands(journey: type[Journey], step: str) -> bool:
    """Whether a step, by the name a run gave it, is still there."""
    return bool(_map_of(cast("Hashable", journey)).steps_called(step))


@lru_cache(maxsize=256)
def _map_of(journey: Hashable) -> Graph:
    return read_map(cast("type[Journey]", journey))
