"""Journeys as an author outside the repository would write them, for the tests of the kit."""

from __future__ import annotations

from enum import StrEnum

from tabiji import Journey, always, days, journey, on


class NudgeBy(StrEnum):
    """How to wake a silent trial."""

    EMAIL = "email"
    SALES = "sales"


@journey(goal=on("Order Completed"), reentry=always)
class Customers(Journey):
    """Help a new customer."""

    async def steps(self) -> None:
        await self.send_email("customers/welcome")


@journey(trigger=on("Trial Started", take=("plan",)), goal=on("Order Completed", then=Customers))
class TrialNurture(Journey):
    """Welcome, listen for three days, then help or nudge. Ends when they buy."""

    async def steps(self) -> None:
        await self.send_email("trial/welcome")
        if await self.wait_for(on("Feature Used"), timeout=days(3)):
            await self.send_email("trial/tips")
        else:
            await nudge(self)
        await self.wait(days=7)


async def nudge(traveller: Journey) -> None:
    """One reminder, by the channel this contact was given."""
    match await traveller.split("nudge channel", NudgeBy):
        case NudgeBy.EMAIL:
            await traveller.send_email("trial/nudge")
        case NudgeBy.SALES:
            await traveller.notify_sales("Silent for three days")
