"""Journeys with a mistake in each, marked on the line that is to be shown."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime

from temporalio import workflow

from tabiji import Journey, days, journey, on


@journey()
class Raises(Journey):
    async def steps(self) -> None:
        await self.wait(days=1)
        plans = {"pro": 10}
        await self.adjust_score(plans["basic"], reason="plan", step="points")  # wrong: KeyError


@journey()
class RaisesInAHelper(Journey):
    async def steps(self) -> None:
        await reward(self, "basic")


async def reward(traveller: Journey, plan: str) -> None:
    points = {"pro": 10}[plan]  # wrong: in a helper
    await traveller.adjust_score(points, reason="plan", step="points")


@journey()
class Misspelt(Journey):
    async def steps(self) -> None:
        await self.wait(days=1)
        await self.send_mail("trial/welcome")  # type: ignore[attr-defined] # pyright: ignore # wrong: no such verb


@journey()
class ForgetsToAwait(Journey):
    async def steps(self) -> None:
        self.send_email("trial/welcome")  # type: ignore[unused-coroutine] # pyright: ignore # wrong: not awaited
        await self.wait(days=1)


@journey()
class ForgetsToAwaitACondition(Journey):
    async def steps(self) -> None:
        if self.has_tag("vip"):  # pyright: ignore # wrong: always true
            await self.send_email("vip/hello")


@journey()
class KeepsWhatItForgot(Journey):
    async def steps(self) -> None:
        vip = self.has_tag("vip")
        await self.wait(days=1)
        await self.tag(str(bool(vip)), step="tag")


@journey()
class AsksNobody(Journey):
    async def steps(self) -> None:
        await self.wait(days=1)
        await self.do("crm.lookup", {"id": 7})  # wrong: nobody plays it


@journey()
class SwallowsEverything(Journey):
    async def steps(self) -> None:
        with suppress(Exception):
            await self.do("crm.lookup", {"id": 7})
        await self.wait(days=1)


@journey()
class NamesNoTemplate(Journey):
    async def steps(self) -> None:
        await self.send_email("trial/welcom")  # wrong: no such template


@journey()
class WaitsForEver(Journey):
    async def steps(self) -> None:
        await self.wait(days=1)
        await workflow.wait_condition(lambda: False)  # wrong: nothing ends it


@journey()
class NeverAwaits(Journey):
    async def steps(self) -> None:
        await self.wait(days=1)
        while True:
            pass  # wrong: a loop without an await


@journey()
class GoesRound(Journey):
    async def steps(self) -> None:
        while True:
            await self.adjust_score(1, reason="again")  # wrong: no time passes


@journey()
class AsksRound(Journey):
    async def steps(self) -> None:
        while not await self.has_tag("vip"):  # wrong: no time passes
            pass


@journey()
class LooksAtTheClock(Journey):
    async def steps(self) -> None:
        await self.wait(days=1)
        if datetime.now().hour < 12:  # noqa: DTZ005 # wrong: another answer at every replay
            await self.tag("early")


@journey()
class WritesNonsense(Journey):
    async def steps(self) -> None:
        await self.set_attribute("timezone", "Asia/Kyoto")  # wrong: no such zone


@journey()
class RaisesBesideAnother(Journey):
    async def steps(self) -> None:
        await asyncio.gather(self.wait(days=1), self._reward())

    async def _reward(self) -> None:
        await self.wait(hours=1)
        raise ValueError("no reward")  # wrong: in a branch


@journey(trigger=on("Trial Started"))
class RaisesOnTheSecondDay(Journey):
    async def steps(self) -> None:
        await self.wait(days=2)
        await self.wait_for(on("Order Completed"), timeout=days(0))  # wrong: no time at all
