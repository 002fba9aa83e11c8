"""Journeys that each use one thing of the language, for the tests beside this file."""

from __future__ import annotations

import asyncio

from temporalio import workflow

from tabiji import Journey, always, days, hours, journey, never, on

BUY = on("Order Completed")


@journey(trigger=on("Nurtured"), goal=BUY, reentry=always)
class TwoMails(Journey):
    """A mail, a day to click, another mail."""

    async def steps(self) -> None:
        await self.send_email("first")
        if await self.wait_for(on("Email Link Clicked"), timeout=days(1)):
            await self.send_email("second")


@journey(trigger=on("Twice Waited"), reentry=always)
class TwoWaits(Journey):
    """The same event, waited for twice."""

    async def steps(self) -> None:
        first = await self.wait_for(on("Page Viewed", take=("path",)), timeout=days(1), step="first page")
        second = await self.wait_for(on("Page Viewed", take=("path",)), timeout=days(1), step="second page")
        for place, page in (("one", first), ("two", second)):
            await self.tag(f"{place}: {page.properties['path'] if page else 'none'}", step=f"tag {place}")


@journey(trigger=on("Side By Side"), goal=BUY, reentry=always)
class SideBySide(Journey):
    """Two branches at once; a goal must end both."""

    async def steps(self) -> None:
        await asyncio.gather(self._left(), self._right())

    async def _left(self) -> None:
        await self.wait(hours=1)
        await self.send_email("left")
        await self.wait(days=5)
        await self.send_email("left, late")

    async def _right(self) -> None:
        await self.wait_for(on("Never"), timeout=days(3))
        await self.send_email("right, late")


@journey(trigger=on("Stubborn"), goal=BUY, reentry=always)
class Stubborn(Journey):
    """Catches everything an author should not, and must still end."""

    async def steps(self) -> None:
        for _ in range(3):
            try:
                await self.wait(days=1)
            except BaseException:
                await self.send_email("stubborn", step="after all")


@journey(reentry=never)
class OnlyOnce(Journey):
    """Nobody comes here twice."""

    async def steps(self) -> None:
        await self.tag("was here")


@journey(trigger=on("Hand Over"), goal=on("Order Completed", then=OnlyOnce), reentry=always)
class HandsOver(Journey):
    """Its goal begins the next one; its steps may enter it too."""

    async def steps(self) -> None:
        await self.wait_for(on("Skip"), timeout=days(9))
        entered = await self.enter(OnlyOnce)
        await self.tag(f"entered: {bool(entered)}", step="tell")


@journey(trigger=on("Own Signal"), reentry=always)
class OwnSignal(Journey):
    """An ordinary workflow class: authors may add handlers of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.approved = False

    @workflow.signal
    def approve(self) -> None:
        self.approved = True

    @workflow.query
    def is_approved(self) -> bool:
        return self.approved

    async def steps(self) -> None:
        await workflow.wait_condition(lambda: self.approved, timeout=hours(5))
        await self.send_email("approved")


@journey(trigger=on("Deferred"), goal=BUY, reentry=always)
class SendsAtNight(Journey):
    """One mail, which the ledger puts off."""

    async def steps(self) -> None:
        await self.send_email("night")


async def reminder(traveller: Journey) -> None:
    """A helper: its step is named after it."""
    await traveller.send_email("reminder")


@journey(trigger=on("Helped"), reentry=always)
class UsesAHelper(Journey):
    """The same helper, twice."""

    async def steps(self) -> None:
        await reminder(self)
        await self.wait(days=1)
        await reminder(self)


@journey(reentry=always)
class Undescribed(Journey):
    # No docstring on purpose.
    async def steps(self) -> None:
        await self.tag("undescribed")


ALL = (TwoMails, TwoWaits, SideBySide, Stubborn, OnlyOnce, HandsOver, OwnSignal, SendsAtNight, UsesAHelper)
