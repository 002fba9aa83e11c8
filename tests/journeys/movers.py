"""Journeys for the tests of moving, exits and composition, and newer versions of some of them."""

from __future__ import annotations

import asyncio
from enum import StrEnum

from tabiji import Journey, always, anniversary, days, hours, journey, on
from tabiji.domain.triggers import tag_added


class Arm(StrEnum):
    """Of an experiment."""

    LEFT = "left"
    RIGHT = "right"


@journey(trigger=on("Welcomed"), exit=(on("Left Us"), tag_added("lost")), goal=on("Bought"), reentry=always)
class LongWay(Journey):
    """A mail, a long wait, what they did, another mail."""

    async def steps(self) -> None:
        begun = self.now()
        await self.send_email("one")
        arm = await self.split("side", Arm)
        await self.wait(days=5)
        await self.tag(f"{arm} since {begun.isoformat()}", step="remember")
        if await self.wait_for(on("Clicked"), timeout=days(3)):
            await self.send_email("clicked")
        await self.send_email("last")


@journey(trigger=on("Looped"), reentry=always)
class Loops(Journey):
    """Every day for years."""

    async def steps(self) -> None:
        for _ in range(220):
            await self.wait(days=1)
            await self.wait_for(on("Seldom"), timeout=hours(1))
        await self.tag("through")


@journey(trigger=on("Born"), reentry=always)
class TenBirthdays(Journey):
    """One enrollment for ten years."""

    async def steps(self) -> None:
        for _ in range(10):
            await self.wait_until(anniversary("birthday"))
            await self.send_email("birthday")


@journey(trigger=on("Asked"), reentry=always)
class LeavesEarly(Journey):
    """Exits from a branch: nothing in the other one runs any more."""

    async def steps(self) -> None:
        await asyncio.gather(self._leave(), self._stay())

    async def _leave(self) -> None:
        await self.wait(days=1)
        self.exit("had enough")

    async def _stay(self) -> None:
        await self.wait(days=2)
        await self.tag("stayed")


@journey(reentry=always)
class Child(Journey):
    """Awaited by the one below."""

    async def steps(self) -> None:
        if await self.wait_for(on("Child Done"), timeout=days(30)):
            await self.tag("child done")


@journey(trigger=on("Parent Begun"), goal=on("Bought"), reentry=always)
class Parent(Journey):
    """Waits for another journey's end."""

    async def steps(self) -> None:
        done = await self.sub_journey(Child)
        await self.tag(f"child: {done.ending if done else None}", step="tell")


ALL = (LongWay, Loops, TenBirthdays, LeavesEarly, Child, Parent)
