"""Two contacts become one while their journeys wait, on a real Temporal server and a real database."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from models.contact import ContactTag
from models.database import Database, table
from models.enrollment import Enrollment
from models.record import Recorded
from tests.journeys import waiters
from tests.journeys.stage import Stage, stage
from tests.road.parts import did


@pytest.fixture
async def play(sqlite: Database) -> AsyncGenerator[Stage]:
    async with stage(sqlite, waiters.ALL) as play:
        yield play


async def _known(play: Stage, event: str, *, device: str | None = None) -> Recorded:
    """Somebody known acts, on another device than the visitor or on the visitor's."""
    play.clock.at = await play.temporal.get_current_time()
    item = did(event, user_id="u", anonymous_id=device, properties={"seats": 2})
    [recorded] = await play.recorder.record([item])
    await play.dispatcher.settle()
    return recorded


async def test_what_the_known_one_did_meanwhile_answers_the_visitors_journey_when_they_meet(play: Stage) -> None:
    await _known(play, "Came Before")
    run = await play.begins("Invited")
    await play.until_it_waits(run)
    await _known(play, "Accepted")
    assert await play.tags() == []

    met = await _known(play, "Logged In", device="visitor")
    outcome = await play.finish(run)

    assert outcome.ending == "completed"
    async with play.database.read() as tx:
        [tag] = (await tx.execute(table(ContactTag).select())).all()
    assert (tag.contact_id, tag.tag) == (met.contact_id, "yes, 2"), "it goes on as theirs"


async def test_the_visitors_journey_hears_what_they_do_on_the_other_device_from_then_on(play: Stage) -> None:
    await _known(play, "Came Before")
    run = await play.begins("Invited")
    await play.until_it_waits(run)
    await _known(play, "Logged In", device="visitor")
    await _known(play, "Accepted")
    await play.finish(run)
    assert await play.tags() == ["yes, 2"]


async def test_who_is_in_the_same_journey_twice_goes_on_once(play: Stage) -> None:
    first = await play.begins("Invited")
    await play.until_it_waits(first)
    again = await _known(play, "Invited")
    second = play.handle(again.entered[0])
    await play.until_it_waits(second)

    await _known(play, "Logged In", device="visitor")
    outcome = await second.result()

    assert (outcome.ending, outcome.reason) == ("exited", "merged")
    await _known(play, "Accepted")
    await play.finish(first)
    assert await play.tags() == ["yes, 2"]
    async with play.database.read() as tx:
        rows = (await tx.execute(table(Enrollment).select())).all()
    assert {(row.state, row.reason) for row in rows} == {("completed", "went all the way"), ("exited", "merged")}
    assert len({row.contact_id for row in rows}) == 1
