"""A journey that starts on a declared event, waits for a pattern, and reads an open value."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from tabiji import Event, Journey, always, days, hours, journey, on, param, prop


class Plan(StrEnum):
    """What people pay for."""

    FREE = "free"
    PRO = "pro"


class Paid(Event, name="Subscription Paid", example={"total": 120.5, "plan": "pro"}):
    """A month was paid."""

    total: Decimal
    plan: Plan | None = None


PATIENCE = param("watching-patience", days(2), at_least=timedelta(hours=1), title="How long we watch")
PAGES = on("Page Viewed", prop("path").matches("^/plans/"))


@journey(trigger=on(Paid, prop("total") >= 100, take=("total", "plan")), reentry=always)
class Watching(Journey):
    """Somebody who pays and looks around three times in an hour is tagged."""

    async def steps(self) -> None:
        patience = await self.value(PATIENCE)
        looked = await self.wait_for(PAGES.times(3, within=hours(1)), timeout=patience)
        paid = Paid.of(self.trigger) if self.trigger else None
        if looked and paid and paid.total + 1 == Decimal("121.5") and paid.plan is Plan.PRO:
            await self.tag("looks around")
