"""What a run writes down is what the map shows: step for step, on Temporal."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from tabiji import Journey
from tabiji.journey.vocabulary import VERBS
from tabiji.testing import JourneyEnvironment
from tests.map import samples
from tests.map.coverage import Coverage


@pytest.fixture
def journey_templates() -> Path | None:
    """The samples' mails have none."""
    return None


async def test_branches_side_by_side_carry_the_functions_that_began_them(journeys: JourneyEnvironment) -> None:
    ways = Coverage(samples.Beside)
    outcome = ways.add(await (await journeys.start(samples.Beside)).result())
    names = [passed.step for passed in outcome.path]
    assert {"steps/_left/send_email:left", "steps/_left~2/send_email:left", "steps/_own/wait:days=2"} <= set(names)
    ways.check()


async def test_helpers_and_what_is_inherited(journeys: JourneyEnvironment) -> None:
    ways = Coverage(samples.Helped)
    for contact, score, tags in (("cold", 0, ()), ("warm", 20, ()), ("vip", 20, ("vip",))):
        run = await journeys.start(samples.Helped, contact=contact, score=score, tags=tags)
        ways.add(await run.result())
    # Who is vip takes the same steps as who is cold: a read leaves no trace.
    ways.check(but=("steps/_warm/has_tag:vip -> remind#3 [yes]",))
    for journey in (samples.Inherits, samples.InheritsAll, samples.Again):
        alone = Coverage(journey)
        alone.add(await (await journeys.start(journey, contact=journey.__name__)).result())
        # Out of what calls itself one comes by its last turn; the ways back from the others are not told apart.
        alone.check(but=("steps/_again/again:_again -> end [done]",) if journey is samples.Again else ())


async def test_the_first_of_several_and_early_returns(journeys: JourneyEnvironment) -> None:
    ways = Coverage(samples.First)
    ways.add(await (await journeys.start(samples.First, contact="neither")).result())
    for event, contact in (("Order Completed", "pays"), ("Left", "leaves")):
        run = await journeys.start(samples.First, contact=contact)
        await run.happens(event, total=100)
        ways.add(await run.result())
    ways.check()


async def test_what_is_not_seen_is_somewhere_on_the_map_all_the_same(journeys: JourneyEnvironment) -> None:
    ways = Coverage(samples.Seen)
    ways.add(await (await journeys.start(samples.Seen)).result())
    ways.check()


def test_the_map_knows_every_verb() -> None:
    """Verbs are the methods of a journey that take a name for their step."""
    methods = inspect.getmembers(Journey, inspect.isfunction)
    verbs = {name for name, method in methods if "step" in inspect.signature(method).parameters}
    assert {verb for verb in verbs if not verb.startswith("_")} == set(VERBS)
