"""Journeys that ask for mails at the same time."""

from __future__ import annotations

from tabiji import Journey, always, days, hours, journey, on


@journey(trigger=on("Low Begun") | on("Both Begun"), reentry=always)
class Low(Journey):
    """One mail."""

    async def steps(self) -> None:
        await self.send_email("low")


@journey(trigger=on("Other Begun"), reentry=always)
class Other(Journey):
    """One mail."""

    async def steps(self) -> None:
        await self.send_email("other")


@journey(trigger=on("High Begun") | on("Both Begun"), reentry=always, priority=10)
class High(Journey):
    """One mail, and a day in which nothing happens."""

    async def steps(self) -> None:
        await self.send_email("high")
        await self.wait(days=1)


@journey(trigger=on("Soon Begun"), reentry=always)
class WithinSixHours(Journey):
    """One mail that is of no use tomorrow."""

    async def steps(self) -> None:
        await self.send_email("soon", delay=hours(6))


@journey(trigger=on("Now Begun"), reentry=always)
class NowOrNever(Journey):
    """One mail for this very moment."""

    async def steps(self) -> None:
        await self.send_email("now", delay="drop")


@journey(trigger=on("Patient Begun"), reentry=always)
class Patient(Journey):
    """One mail that may wait."""

    async def steps(self) -> None:
        await self.send_email("patient", delay=days(10))
