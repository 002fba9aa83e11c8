"""`onboarding` and `whitepaper-nurture` as they would look after edits, to be checked against recorded runs of the ones
that are shipped.
"""

from __future__ import annotations

from datetime import time
from enum import StrEnum

from tabiji import Journey, after, attribute_changed, contact_date, days, hours, journey, on
from workflows.onboarding import Onboarding
from workflows.stay_in_touch import StayInTouch

PRICING = on("Page Viewed", path="/pricing")
ATTENDED = on("Demo Attended")


@journey(name="onboarding")
class Reworded(Journey):
    """Another mail, another duration, another condition: the way is the same."""

    async def steps(self) -> None:
        await self.tag("customer")
        await self.send_email("onboarding/hello", step="steps/send_email:onboarding/welcome")
        if not await self.wait_for(on("Signed In"), timeout=days(5), step="steps/wait_for:LOGGED_IN"):
            await self.send_email("onboarding/first-steps")


@journey(name="onboarding")
class Inserted(Journey):
    """A step before another of its kind."""

    async def steps(self) -> None:
        await self.tag("customer")
        await self.send_email("onboarding/news")
        await self.send_email("onboarding/welcome")
        if not await self.wait_for(on("Logged In"), timeout=days(3)):
            await self.send_email("onboarding/first-steps")


@journey(name="onboarding")
class InHelper(Journey):
    """A step the history does not have, in a helper."""

    async def steps(self) -> None:
        await self.tag("customer")
        await welcome(self)


async def welcome(journey: Journey) -> None:
    """Wait first."""
    await journey.wait(days=1)
    await journey.send_email("onboarding/welcome")


@journey(name="onboarding")
class Broken(Journey):
    """A mistake in the author's own code."""

    async def steps(self) -> None:
        await self.tag("customer")
        raise ValueError("a slip")


@journey(name="onboarding")
class Shortened(Journey):
    """It ends where it went on."""

    async def steps(self) -> None:
        await self.tag("customer")


@journey(name="onboarding")
class Swapped(Journey):
    """Two steps of one kind changed places: replay alone is content with that."""

    async def steps(self) -> None:
        await self.tag("customer")
        await self.send_email("onboarding/first-steps")
        if not await self.wait_for(on("Logged In"), timeout=days(3)):
            await self.send_email("onboarding/welcome")


@journey(
    name="whitepaper-nurture",
    trigger=on("Form Submitted", form="whitepaper"),
    goal=on("Order Completed", then=Onboarding),
    reentry=after(days=90),
)
class Rescored(Journey):
    """Other points, another reason, another wait."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome")
        await self.wait(days=3, step="steps/wait:days=2")
        if await self.wait_for(PRICING, timeout=days(7)):
            await self.adjust_score(+25, reason="looked at pricing", step="steps/adjust_score:+20")
            await self.notify_sales(
                "Looked at prices", step="steps/notify_sales:Looked at pricing after the whitepaper"
            )
        await self.send_email("demo/invitation")
        if not await self.wait_for(ATTENDED, timeout=days(14)):
            await self.enter(StayInTouch)
            return
        await self.adjust_score(+30, reason="attended the demo")
        await self.tag("demo attended")
        await self.send_email("demo/follow-up")
        await self.wait(days=7)
        await self.notify_sales("Attended the demo a week ago and has not ordered")


class Gift(StrEnum):
    """What a birthday mail brings."""

    DISCOUNT = "discount"
    SHIPPING = "free shipping"


@journey(name="birthday")
class Reweighted(Journey):
    """Other odds."""

    async def steps(self) -> None:
        if not await self.has_tag("customer"):
            await self.send_email("birthday/wishes")
            return
        match await self.split("birthday gift", Gift, weights={Gift.DISCOUNT: 9, Gift.SHIPPING: 1}):
            case Gift.DISCOUNT:
                await self.send_email("birthday/discount")
            case Gift.SHIPPING:
                await self.send_email("birthday/free-shipping")
        if await self.wait_for(on("Order Completed"), timeout=days(7)):
            await self.add_to_attribute("birthday_gifts_used", 1)
        else:
            await self.send_email("birthday/last-days")


@journey(name="visit")
class Retimed(Journey):
    """A reminder at noon."""

    async def steps(self) -> None:
        await self.send_email("visit/confirmed", topic="visit")
        step = "steps/wait_until:contact_date(visit, days=-1, at=time(10))"
        if not await self.wait_until(contact_date("visit", days=-1, at=time(12)), step=step):
            await self.notify_sales("Booked a visit that has no date")
            return
        await self.send_email("visit/tomorrow", topic="visit")
        await self.wait_until(contact_date("visit", hours=-2))
        await self.send_email("visit/today", topic="visit")
        if await self.wait_for(attribute_changed("visit"), timeout=hours(2), from_now=True):
            await self.create_task("Moved the visit at the last moment: call them", who="front desk")
        if await self.wait_for(on("Visit Attended"), timeout=days(1)):
            await self.send_email("visit/help", topic="visit")
            await self.wait(days=2)
            await self.send_email("visit/how-was-it", topic="visit")
        else:
            await self.send_email("visit/missed", topic="visit")
