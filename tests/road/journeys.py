"""Journeys for the tests of an event's road."""

from __future__ import annotations

import asyncio

from temporalio import workflow

from tabiji import Journey, always, days, journey, minutes, on

CLICKED = on("Clicked", take=("n",))
ORDERED = on("Order Completed")


class Taking(Journey):
    """Remembers which events it took."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[int] = []

    async def take(self, stops: int, timeout_minutes: float) -> None:
        """Wait for the same event again and again, until it has come so often."""
        while len(self.taken) < stops:
            event = await self.wait_for(CLICKED, timeout=minutes(timeout_minutes), step="stop")
            if event is not None:
                n = event.properties["n"]
                assert isinstance(n, int)
                self.taken.append(n)

    @workflow.query
    def took(self) -> list[int]:
        """Numbers of the events, in the order they were taken."""
        return self.taken


@journey(trigger=on("Patient Begun"), reentry=always)
class Patient(Taking):
    """Has all the time in the world."""

    async def steps(self) -> None:
        await self.take(3, 60 * 24 * 30)


@journey(trigger=on("Impatient Begun"), reentry=always)
class Impatient(Taking):
    """Is out of time again and again."""

    async def steps(self) -> None:
        await self.take(3, 5)


@journey(reentry=always)
class Afterwards(Journey):
    """Begins where another ends."""

    async def steps(self) -> None:
        await self.wait(days=30)


@journey(trigger=on("Goal Begun"), goal=on("Order Completed", then=Afterwards), reentry=always)
class UntilGoal(Taking):
    """Only the goal ends it."""

    async def steps(self) -> None:
        await self.take(1000, 15)


@journey(trigger=on("Mail Begun"), goal=ORDERED, reentry=always)
class MailThenWait(Journey):
    """A mail, a wait."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome", topic="transactional")
        await self.wait_for(on("Clicked"), timeout=days(30))


@journey(trigger=on("Greedy Begun"), goal=ORDERED, reentry=always)
class WaitsForItsGoal(Journey):
    """Waits by hand for what is its goal too, and has more to do after it."""

    async def steps(self) -> None:
        await self.wait_for(ORDERED, timeout=days(30))
        await self.wait(days=30)


@journey(trigger=on("Pair Begun"), reentry=always)
class SideBySide(Journey):
    """Two waits at once that one event answers."""

    async def steps(self) -> None:
        await asyncio.gather(
            self.wait_for(on("Clicked"), timeout=days(30), step="any"),
            self.wait_for(on("Clicked", n=1), timeout=days(30), step="first"),
        )


ALL = (Patient, Impatient, Afterwards, UntilGoal, MailThenWait, WaitsForItsGoal, SideBySide)
