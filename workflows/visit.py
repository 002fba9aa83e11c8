from datetime import time

from tabiji import Journey, always, attribute_changed, contact_date, days, hours, journey, on

CANCELLED = on("Visit Cancelled")


@journey(trigger=on("Visit Booked"), exit=CANCELLED, reentry=always)
class Visit(Journey):
    """Remind of a booked visit, wherever its date moves to; help right after it, and ask how it was."""

    async def steps(self) -> None:
        await self.send_email("visit/confirmed", topic="visit")
        if not await self.wait_until(contact_date("visit", days=-1, at=time(10))):
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
