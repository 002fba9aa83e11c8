"""Journeys to which several things happen in the same moment, or at a bad one."""

from __future__ import annotations

import asyncio

from temporalio.exceptions import ActivityError, ApplicationError

from tabiji import Journey, always, days, journey, on
from tabiji.domain.triggers import tag_added


@journey(trigger=on("Begun"), goal=on("Bought"), exit=(on("Bought"), tag_added("done for")), reentry=always)
class OneMail(Journey):
    """Waits, writes, waits."""

    async def steps(self) -> None:
        await self.wait(days=1)
        await self.send_email("one")
        await self.wait(days=30, step="long")


@journey(trigger=on("Begun To Shift"), overdue="shift", reentry=always)
class Shifts(Journey):
    """What became due in a pause comes as late after it."""

    async def steps(self) -> None:
        await self.wait(days=3)
        await self.send_email("shifted")


@journey(trigger=on("Begun To Skip"), overdue="skip", reentry=always)
class Skips(Journey):
    """What became due in a pause is left out."""

    async def steps(self) -> None:
        await self.send_email("first")
        await self.wait_for(on("Clicked"), timeout=days(3))
        await self.send_email("second")


@journey(trigger=on("Both Begun"), reentry=always)
class SameForBoth(Journey):
    """The same event for two waits beside each other, and a pattern."""

    async def steps(self) -> None:
        await asyncio.gather(self._after_one(), self._after_two())

    async def _after_one(self) -> None:
        await self.wait_for(on("Clicked"), timeout=days(2), step="one")
        await self.tag("one")
        await self.wait(days=1)

    async def _after_two(self) -> None:
        if await self.wait_for(on("Clicked").times(2), timeout=days(2), step="two"):
            await self.tag("two")


@journey(reentry=always)
class Sub(Journey):
    """Takes its time."""

    async def steps(self) -> None:
        await self.wait(days=5)
        await self.tag("sub")


@journey(trigger=on("Impatient"), reentry=always)
class GivesUp(Journey):
    """Waits for a while for another journey, and goes on without it."""

    async def steps(self) -> None:
        done = await self.sub_journey(Sub, timeout=days(1))
        await self.tag(f"sub: {done}", step="tell")


@journey(trigger=on("Patient"), reentry=always)
class WaitsForSub(Journey):
    """As long as it takes."""

    async def steps(self) -> None:
        done = await self.sub_journey(Sub)
        await self.tag(f"sub: {done.ending if done is not None else None}", step="tell")


@journey(trigger=on("Grouped"), reentry=always)
class InAGroup(Journey):
    """One of several tasks fails for good."""

    async def steps(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fails())
            group.create_task(self._waits())

    async def _fails(self) -> None:
        await self.do("fail")

    async def _waits(self) -> None:
        await self.wait(days=1)


@journey(trigger=on("Asked By Hand"), reentry=always)
class ByHand(Journey):
    """Both, told by a person at the Temporal UI."""

    async def steps(self) -> None:
        both = await self.wait_all(on("Came"), on("Came", take=("n",)), timeout=days(1))
        await self.tag(f"{[one.event for one in both] if both else None}", step="tell")


@journey(trigger=on("Foreseen"), reentry=always)
class ForeseesFailure(Journey):
    """An activity fails for good, and the journey knows what to do."""

    async def steps(self) -> None:
        try:
            await self.do("fail")
        except ActivityError as error:
            cause = error.cause
            kind = cause.type if isinstance(cause, ApplicationError) else None
            await self.wait(days=1)
            await self.tag(f"{kind} in {error.activity_type}", step="tell")


@journey(trigger=on("Stuffed"), reentry=always)
class Stuffed(Journey):
    """Reads more than anybody can carry."""

    async def steps(self) -> None:
        for _ in range(65):
            await self.attribute("novel")
        await self.wait(days=9)


ALL = (OneMail, Shifts, Skips, SameForBoth, Sub, GivesUp, WaitsForSub, InAGroup, ByHand, ForeseesFailure, Stuffed)
