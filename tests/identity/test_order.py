"""Any order, any batching, any repetition of the same calls ends in the same contacts: those the rule names."""

from __future__ import annotations

from itertools import count
from random import Random

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from models.database import Database
from models.incoming import Incoming
from tests.identity.world import CALLS, Said, as_stored, at, batches, by_rule
from tests.road.parts import Road

_runs = count()
CALLS_IN_SOME_ORDER = st.lists(CALLS, min_size=1, max_size=10)
CUTS = st.lists(st.integers(0, 20), max_size=10)
ON_ONE_DATABASE = [HealthCheck.function_scoped_fixture]
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""What fails is reported as it is: to shrink it takes minutes."""
DICE = Random(1)  # noqa: S311 # dice
A, B, C = "ann@example.com", "bob@example.com", "cho@example.com"


async def _say(database: Database, calls: list[Said], cuts: list[int], *, twice: bool, dice: Random) -> str:
    """Say it all, shuffled and cut; returns the name of the run."""
    run = f"r{next(_runs)}-"
    said = [one.incoming(run, place) for place, one in enumerate(calls)]
    dice.shuffle(said)
    road = Road(database)
    for batch in batches(said, cuts):
        await road.recorder.record(batch)
    if twice:
        before = await as_stored(database, run)
        for one in dice.sample(said, len(said)):
            assert all(recorded.duplicate for recorded in await road.recorder.record([one]))
        assert await as_stored(database, run) == before
    return run


def _by_rule(run: str, calls: list[Said]) -> set[object]:
    said: list[Incoming] = [one.incoming(run, place) for place, one in enumerate(calls)]
    return {*by_rule(said)}


@settings(max_examples=40, deadline=None, phases=QUICK, suppress_health_check=ON_ONE_DATABASE)
@given(CALLS_IN_SOME_ORDER, CUTS, st.booleans(), st.randoms(use_true_random=False))
@example([at(1, user="u1", address=A), at(2, device="a1", address=B), at(3, device="a1", user="u1")], [1], False, DICE)
@example([at(0, user="u1", address=A), at(5, user="u1", address=A), at(3, user="u1", address=B)], [1, 2], False, DICE)
async def test_what_is_stored_is_what_the_rule_says_whatever_the_order(
    sqlite: Database, calls: list[Said], cuts: list[int], twice: bool, dice: Random
) -> None:
    run = await _say(sqlite, calls, cuts, twice=twice, dice=dice)
    assert await as_stored(sqlite, run) == _by_rule(run, calls)
