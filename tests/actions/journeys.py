"""A journey that brings other people in."""

from __future__ import annotations

from pydantic import BaseModel
from temporalio import activity

from tabiji import Journey, days, journey, on
from tabiji.domain.changes import OwnOrder
from tabiji.domain.triggers import tag_added


class Booking(BaseModel):
    """What the journey says."""

    room: str


@activity.defn(name="book_room")
async def book_room(order: OwnOrder[Booking]) -> str:
    """Book a room."""
    return f"{order.payload.room}-17"


@journey(trigger=tag_added("vip"))
class Concierge(Journey):
    """Ask, book, have somebody call."""

    async def steps(self) -> None:
        answer = await self.approval("May we book the suite?", who="sales", timeout=days(2))
        if answer is None or not answer:
            self.exit("nobody agreed")
        await self.set_attribute("agreed_by", answer.by)
        booking = await self.do("book_room", {"room": "A"}, answer=str)
        await self.set_attribute("booking", booking)
        task = await self.create_task("Call and tell them", who="sales")
        done = await self.wait_for(on("Task Done", task=task, take=("by",)), timeout=days(3))
        await self.set_stage("customer" if done else "waiting", step="stage")
        if await self.stage(step="which stage") == "customer":
            await self.untag("vip")
