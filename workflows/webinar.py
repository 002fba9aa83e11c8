from datetime import time

from tabiji import Journey, always, contact_date, days, form, hours, journey, on, tag_added
from workflows.lead_nurturing import LeadNurturing

REGISTERED = on("Webinar Registered")
ATTENDED = on("Webinar Attended")


@journey(trigger=(tag_added("invite to webinar"), form("webinar")), exit=on("Webinar Cancelled"), reentry=always)
class Webinar(Journey):
    """Invite, remind the day before and an hour before, and follow up on who came and who did not."""

    async def steps(self) -> None:
        if not await self.registers():
            self.exit("did not register")
        if not await self.wait_until(contact_date("webinar", days=-1, at=time(10))):
            self.exit("the webinar has no date")
        await self.send_email("webinar/tomorrow", topic="webinar")
        await self.wait_until(contact_date("webinar", hours=-1))
        await self.send_email("webinar/in-an-hour", topic="webinar")
        if await self.wait_for(ATTENDED, timeout=hours(5)):
            await self.adjust_score(+25, reason="came to the webinar")
            await self.send_email("webinar/thank-you", topic="webinar")
            await self.notify_sales("Came to the webinar")
        else:
            await self.send_email("webinar/recording", topic="webinar")
            await self.enter(LeadNurturing)

    async def registers(self) -> bool:
        """Whoever came by the form has; the others are invited, and reminded once."""
        if self.trigger and self.trigger.event == "Form Submitted":
            return True
        await self.send_email("webinar/invitation")
        if await self.wait_for(REGISTERED, timeout=days(4)):
            return True
        await self.send_email("webinar/last-seats")
        return await self.wait_for(REGISTERED, timeout=days(3), step="registers after all") is not None
