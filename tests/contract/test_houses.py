"""The house in memory answers as the real one does, on both databases."""

from __future__ import annotations

import pytest

from tests.contract.conftest import Opens
from tests.contract.scenarios import CATALOG, SCENARIOS, Scenario


@pytest.mark.parametrize("play", SCENARIOS, ids=lambda play: play.__name__)
async def test_every_house_tells_the_story_alike(play: Scenario, opens: Opens, in_memory: Opens) -> None:
    house, memory = opens(CATALOG), in_memory(CATALOG)
    real, played = await play(house), await play(memory)
    for place, (is_real, is_played) in enumerate(zip(real, played, strict=True)):
        assert is_played == is_real, f"operation {place} of {play.__name__}"
    assert await memory.enrollments() == await house.enrollments()
