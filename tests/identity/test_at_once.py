"""PostgreSQL, many callers at once: who is who comes out as the rule says; nobody waits for ever, nothing is lost."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.database import Database
from tests.identity.world import CALLS, Said, as_stored, at, batches, by_rule
from tests.road.parts import Road

_runs = count()
ON_ONE_DATABASE = [HealthCheck.function_scoped_fixture]
A, B, C = "ann@example.com", "bob@example.com", "cho@example.com"


async def _all_at_once(database: Database, calls: list[Said], cuts: list[int]) -> None:
    run = f"r{next(_runs)}-"
    said = [one.incoming(run, place) for place, one in enumerate(calls)]
    road = Road(database)
    async with asyncio.timeout(60):
        await asyncio.gather(*(road.recorder.record(batch) for batch in batches(said, cuts)))
    assert await as_stored(database, run) == {*by_rule(said)}


@settings(max_examples=8, deadline=None, suppress_health_check=ON_ONE_DATABASE)
@given(st.lists(CALLS, min_size=4, max_size=10), st.lists(st.integers(0, 20), min_size=4, max_size=10))
async def test_what_comes_in_at_once_ends_as_the_rule_says(
    postgresql: Database, calls: list[Said], cuts: list[int]
) -> None:
    await _all_at_once(postgresql, calls, cuts)


CROWD = [
    *(
        at(minute, user=user, device=device)
        for minute, (user, device) in enumerate([("u1", "a1"), ("u2", "a1"), ("u3", "a2")])
    ),
    *(
        at(5 - minute, device=device, address=address)
        for minute, (device, address) in enumerate([("a1", A), ("a2", A), ("a3", B)])
    ),
    *(
        at(minute, user=user, address=address, plan=user)
        for minute, (user, address) in enumerate([("u2", A), ("u1", B), ("u3", C)])
    ),
    at(2, user="u2", alias_of="u1"),
    at(1, user="u3", alias_of="u2"),
    at(1, user="u1", alias_of="a3"),
    *(at(minute, device=device) for minute in range(3) for device in ("a1", "a2", "a3")),
]


@pytest.mark.parametrize("size", [1, 3])
async def test_a_crowd_that_turns_out_to_be_one_person_is_merged_without_a_deadlock(
    postgresql: Database, size: int
) -> None:
    """Everybody is connected with everybody: each call wants the contacts of most others."""
    for _ in range(2):
        await _all_at_once(postgresql, CROWD, list(range(0, len(CROWD), size)))
