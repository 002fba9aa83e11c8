"""Journeys that use what the kit has to offer."""

from __future__ import annotations

from datetime import time
from enum import StrEnum

from pydantic import BaseModel

from tabiji import Journey, always, anniversary, days, journey, on, param, prop, score_reached, weekday

PATIENCE = param("patience", days(3), at_most=days(14), title="How long we wait")


class Channel(StrEnum):
    MAIL = "mail"
    SMS = "sms"


class Customer(BaseModel):
    name: str


@journey()
class Drip(Journey):
    """Ninety days, ten mails."""

    async def steps(self) -> None:
        for number in range(10):
            if number:
                await self.wait(days=10)
            await self.send_email(f"drip/{number}", step="mail")


@journey(trigger=anniversary("birthday"))
class Yearly(Journey):
    """Ten years."""

    async def steps(self) -> None:
        for _ in range(10):
            await self.send_email("yearly")
            await self.wait(days=366)
            await self.wait_until(weekday("monday", time(9)))


@journey()
class Outside(Journey):
    """Other systems, other people."""

    async def steps(self) -> None:
        for number, path in enumerate("ab", start=1):
            if not await self.call_webhook(f"https://crm.example.com/{path}", {"n": number}, step="call"):
                await self.tag(f"refused by {path}", step="refused")
        customer = await self.do("crm.lookup", 7, answer=Customer)
        task = await self.create_task(f"Call {customer.name if customer else '?'}", who="sales", step="task")
        await self.notify("sales", "Please call")
        if answer := await self.approval("May we send the offer?", who="boss", timeout=days(2)):
            await self.tag(f"approved by {answer.by}", step="approved")
        if await self.wait_for(on("Task Done", task=task), timeout=days(3), step="the call"):
            await self.tag("called")
        else:
            await self.tag("not called")


@journey()
class Chosen(Journey):
    """An arm and a parameter."""

    async def steps(self) -> None:
        await self.wait(await self.value(PATIENCE), step="patience")
        await self.tag((await self.split("channel", Channel)).value, step="channel")


@journey(goal=on("Done"), reentry=always)
class Child(Journey):
    async def steps(self) -> None:
        await self.wait(days=30)


@journey()
class Parent(Journey):
    """Waits for another journey."""

    async def steps(self) -> None:
        await self.sub_journey(Child)
        await self.wait(days=1)


@journey(exit=score_reached(50))
class Scores(Journey):
    async def steps(self) -> None:
        for points in (20, 20, 20, 20):
            await self.adjust_score(points, reason="more", step="more")
            await self.wait(hours=1)


@journey(trigger=score_reached(50))
class Hot(Journey):
    async def steps(self) -> None:
        await self.tag("hot")


@journey(trigger=on("Order Completed", prop("total") >= 100))
class BigOrder(Journey):
    async def steps(self) -> None:
        await self.tag("big order")
