"""What an author can say, do and see with the kit, each once."""

from __future__ import annotations

import time as machine
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

import tabiji.testing
from tabiji import days, hours
from tabiji.domain.changes import Called, OwnOrder
from tabiji.domain.orders import StepOrder
from tabiji.errors import InvalidParam
from tabiji.testing import JourneyEnvironment, Mistake
from tabiji.testing.memory.house import CARRIERS
from tests.kit import everything as played


async def test_ninety_days_take_well_under_a_second(
    journeys: JourneyEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    await (await journeys.start(played.Drip, contact="warms up the worker")).result()
    begun = machine.perf_counter()
    run = await journeys.start(played.Drip)
    await run.result()
    took = machine.perf_counter() - begun

    assert [mail.day for mail in journeys.outbox if mail.contact == "c1"] == list(range(90, 181, 10))
    with capsys.disabled():
        print(f" [90 days, 10 mails: {took * 1000:.0f} ms]", end="")


async def test_ten_years_go_by_in_one_test(journeys: JourneyEnvironment) -> None:
    run = await journeys.start(played.Yearly)
    await run.result()
    assert [mail.at.year for mail in journeys.outbox] == list(range(2026, 2036))


async def test_quiet_hours_are_the_contacts_own(journeys: JourneyEnvironment) -> None:
    journeys.begins(datetime(2026, 1, 5, 12, tzinfo=UTC))
    journeys.quiet_hours(time(21), time(8))
    run = await journeys.start(played.Drip, timezone="Asia/Tokyo")
    assert journeys.outbox == []
    assert "not before" in run.doing[0]
    await run.advance(hours(11))
    assert journeys.outbox[0].at == datetime(2026, 1, 5, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("person", "reason"),
    [({"consent": False}, "no_consent"), ({"email": None}, "no_address"), ({"consent": {"news": True}}, "no_consent")],
)
async def test_who_may_not_be_mailed_is_not(journeys: JourneyEnvironment, person: dict[str, Any], reason: str) -> None:
    await journeys.start(played.Drip, **person)
    assert journeys.outbox == []
    assert journeys.refused == [reason]


async def test_a_mail_that_comes_back_is_told_to_the_journey(journeys: JourneyEnvironment) -> None:
    journeys.comes_back("drip/0")
    run = await journeys.start(played.Drip)
    assert run.story == ["mail drip/0: failed (550 no such user)"]


async def test_outside_systems_and_the_team_answer_as_the_test_says(journeys: JourneyEnvironment) -> None:
    journeys.webhooks_answer(lambda call: Called(ok=call.data["n"] == 1, status=500))

    def look_up(number: int) -> dict[str, str]:
        return {"name": f"No. {number}"}

    journeys.replace("crm.lookup", look_up)
    run = await journeys.start(played.Outside)
    assert journeys.webhooks == ["https://crm.example.com/a", "https://crm.example.com/b"]
    assert journeys.tasks == ["Call No. 7"]
    assert journeys.notices == ["Please call"]
    assert journeys.questions == ["May we send the offer?"]

    await journeys.approves(by="ben")
    await journeys.completes()
    await run.result()
    assert journeys.contact().tags == ["refused by b", "approved by ben", "called"]


async def test_nobody_answers_in_time(journeys: JourneyEnvironment) -> None:
    journeys.replace("crm.lookup", lambda: {"name": "Ann"})
    run = await journeys.start(played.Outside)
    await journeys.declines()
    await run.result()
    assert journeys.contact().tags == ["not called"]


async def test_a_stand_in_may_ask_who_it_is_for(journeys: JourneyEnvironment) -> None:
    seen: list[OwnOrder] = []

    async def look_up(order: OwnOrder) -> dict[str, str]:
        seen.append(order)
        return {"name": order.contact_id}

    journeys.replace("crm.lookup", look_up)
    await journeys.start(played.Outside, contact="ann")
    assert (seen[0].contact_id, seen[0].payload) == ("ann", 7)


async def test_a_stand_in_that_fails_fails_the_test_at_its_own_line(journeys: JourneyEnvironment) -> None:
    def look_up() -> dict[str, str]:
        raise LookupError("no such customer")

    journeys.replace("crm.lookup", look_up)
    with pytest.raises(LookupError, match="no such customer") as failure:
        await journeys.start(played.Outside)
    assert failure.traceback[-1].name == "look_up"


async def test_arms_are_forced_and_parameters_turned(journeys: JourneyEnvironment) -> None:
    journeys.force("channel", played.Channel.SMS)
    journeys.sets(played.PATIENCE, days(5))
    run = await journeys.start(played.Chosen)
    await run.advance(days(4))
    assert journeys.contact().tags == []
    await run.result()
    assert journeys.contact().tags == ["sms"]
    with pytest.raises(InvalidParam):
        journeys.sets(played.PATIENCE, days(50))


async def test_a_sub_journey_is_waited_for_and_ends_with_its_parent(journeys: JourneyEnvironment) -> None:
    run = await journeys.start(played.Parent)
    child = journeys.run(played.Child)
    await child.happens("Done")
    assert run.story[-1] == "child ended: goal, Done"

    again = await journeys.start(played.Parent, contact="ben")
    await again.cancel()
    assert journeys.run(played.Child, "ben").over


async def test_a_change_starts_journeys_and_ends_them(journeys: JourneyEnvironment) -> None:
    journeys.loads(played.Scores, played.Hot)
    run = await journeys.start(played.Scores)
    assert (await run.result()).ending == "exited"
    assert journeys.run(played.Hot).path == ["steps/tag:hot"]


async def test_a_skipped_wait_is_over_and_a_paused_step_waits(journeys: JourneyEnvironment) -> None:
    run = await journeys.start(played.Drip)
    await run.skip()
    assert run.outbox == ["drip/0", "drip/1"]
    await run.pause()
    await run.advance(days(15))
    assert run.outbox == ["drip/0", "drip/1"]
    await run.resume()
    assert run.outbox == ["drip/0", "drip/1", "drip/2"]


async def test_who_may_not_enter_again_is_named(journeys: JourneyEnvironment) -> None:
    await journeys.start(played.Drip)
    with pytest.raises(Mistake, match="c1 did not enter drip: already in it"):
        await journeys.start(played.Drip)


async def test_a_trigger_with_a_test_asks_for_the_property(journeys: JourneyEnvironment) -> None:
    with pytest.raises(Mistake, match=r"event=\{'total'"):
        await journeys.start(played.BigOrder)
    run = await journeys.start(played.BigOrder, event={"total": 120})
    assert run.over


async def test_two_people_travel_side_by_side(journeys: JourneyEnvironment) -> None:
    ann = await journeys.start(played.Drip, contact="ann")
    await journeys.advance(days(15))
    ben = await journeys.start(played.Drip, contact="ben")
    await journeys.advance(days(15))
    assert (len(ann.outbox), len(ben.outbox)) == (4, 2)
    assert journeys.now - datetime(2026, 1, 5, 9, tzinfo=UTC) == timedelta(days=30)


def test_the_house_carries_out_every_order_there_is() -> None:
    def all_orders(kind: type[StepOrder]) -> set[type[StepOrder]]:
        below = kind.__subclasses__()
        return set(below).union(*map(all_orders, below))

    ours = {order for order in all_orders(StepOrder) if order.__module__.startswith("tabiji.domain.")}
    assert set(CARRIERS) == ours - {OwnOrder}


def test_the_public_names_are_these() -> None:
    assert tabiji.testing.__all__ == [
        "Called",
        "JourneyEnvironment",
        "Mail",
        "Mistake",
        "Notice",
        "OwnOrder",
        "Person",
        "Question",
        "Run",
        "Task",
        "Webhook",
        "binary",
        "dev_server",
        "skipping_time",
    ]
