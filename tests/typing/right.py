"""What the verbs return, held by both type checkers: `make lint` fails when an answer loses its type."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import assert_never, assert_type

from pydantic import BaseModel, JsonValue

from tabiji import Condition, Happened, Journey, contact_date, days, journey, on, param, weekday
from tabiji.domain.changes import Called
from tabiji.domain.orders import Entered, Outcome, SendOutcome
from tabiji.journey.verbs.composition import Approval, Finished
from tabiji.journey.verbs.waits import First
from tabiji.testing import JourneyEnvironment, Mail, Run

PATIENCE = param("patience", days(3), title="How long we wait")
LIMIT = param("limit", 5, title="How many")
WORDS = param("words", "hello", title="What we say")


class Reply(StrEnum):
    YES = "yes"
    NO = "no"


class Customer(BaseModel):
    name: str


@journey()
class Typed(Journey):
    """Every verb once."""

    async def steps(self) -> None:
        mail = await self.send_email("a")
        assert_type(mail, SendOutcome)
        assert_type(self.clicked(mail), Condition)
        await self.waits()
        await self.reads()
        await self.acts()

    async def waits(self) -> None:
        assert_type(await self.wait(days=1), None)
        assert_type(await self.wait_until(time(9)), datetime | None)
        assert_type(await self.wait_until(weekday("friday", time(13)), step="friday"), datetime | None)
        assert_type(await self.wait_until(contact_date("birthday"), step="birthday"), datetime | None)
        assert_type(await self.wait_for(on("A"), timeout=days(1)), Happened | None)
        assert_type(await self.did(on("A")), Happened | None)
        assert_type(await self.absent(on("A"), within=days(1)), bool)
        first = await self.wait_first({Reply.YES: on("A"), Reply.NO: on("B")}, timeout=days(1))
        assert_type(first, First[Reply] | None)
        if first is not None:
            match first.which:
                case Reply.YES | Reply.NO:
                    assert_type(first.event, Happened)
                case _:
                    assert_never(first.which)
        two = await self.wait_all(on("A"), on("B"), timeout=days(1))
        assert_type(two, tuple[Happened, Happened] | None)
        three = await self.wait_all(on("A"), on("B"), on("C"), timeout=days(1))
        assert_type(three, tuple[Happened, Happened, Happened] | None)

    async def reads(self) -> None:
        assert_type(await self.attribute("plan"), JsonValue)
        assert_type(await self.has_tag("vip"), bool)
        assert_type(await self.in_list("news"), bool)
        assert_type(await self.in_segment("hot"), bool)
        assert_type(await self.score(), int)
        assert_type(await self.stage(), str | None)
        assert_type(await self.value(PATIENCE), timedelta)
        assert_type(await self.value(LIMIT), int)
        assert_type(await self.value(WORDS), str)
        assert_type(self.now(), datetime)
        arm = await self.split("reply", Reply)
        assert_type(arm, Reply)
        match arm:
            case Reply.YES:
                pass
            case Reply.NO:
                pass
            case _:
                assert_never(arm)

    async def acts(self) -> None:
        assert_type(await self.tag("vip"), None)
        assert_type(await self.adjust_score(1, reason="why"), int)
        assert_type(await self.add_to_attribute("visits", 1), float)
        assert_type(await self.create_task("call", who="sales"), str | None)
        assert_type(await self.call_webhook("https://example.com"), Called)
        assert_type(await self.notify_sales("hot"), SendOutcome)
        assert_type(await self.do("own"), None)
        assert_type(await self.do("crm.lookup", answer=Customer), Customer | None)
        assert_type(await self.enter(Typed), Entered)
        assert_type(await self.sub_journey(Typed), Finished | None)
        assert_type(await self.approval("May we?", who="sales", timeout=days(1)), Approval | None)


async def kit(journeys: JourneyEnvironment) -> None:
    run = await journeys.start(Typed)
    assert_type(run, Run)
    assert_type(await run.result(), Outcome)
    assert_type(journeys.outbox[0], Mail)
    assert_type(journeys.outbox[0:2], list[Mail])
    assert_type(run.path, list[str])
    assert_type(await journeys.happens("A"), tuple[Run, ...])
    journeys.sets(PATIENCE, days(2))
