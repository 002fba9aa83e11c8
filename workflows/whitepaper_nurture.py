from tabiji import Journey, after, days, journey, on
from workflows.onboarding import Onboarding
from workflows.stay_in_touch import StayInTouch

PRICING = on("Page Viewed", path="/pricing")
ATTENDED = on("Demo Attended")


@journey(
    trigger=on("Form Submitted", form="whitepaper"),
    goal=on("Order Completed", then=Onboarding),
    reentry=after(days=90),
)
class WhitepaperNurture(Journey):
    """Turn a whitepaper download into a demo, and the demo into an order."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome")
        await self.wait(days=2)
        if await self.wait_for(PRICING, timeout=days(7)):
            await self.adjust_score(+20, reason="looked at pricing")
            await self.notify_sales("Looked at pricing after the whitepaper")
        await self.send_email("demo/invitation")
        if not await self.wait_for(ATTENDED, timeout=days(14)):
            await self.enter(StayInTouch)
            return
        await self.adjust_score(+30, reason="attended the demo")
        await self.tag("demo attended")
        await self.send_email("demo/follow-up")
        await self.wait(days=7)
        await self.notify_sales("Attended the demo a week ago and has not ordered")
