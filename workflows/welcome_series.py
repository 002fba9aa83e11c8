from datetime import time
from enum import StrEnum

from tabiji import Journey, days, journey, on, weekday


class Interest(StrEnum):
    """What a new subscriber says they came for."""

    LEARN = "learn"
    BUY = "buy"


LEARNS = on("Email Link Clicked", url="https://www.example.com/guides")
BUYS = on("Email Link Clicked", url="https://www.example.com/pricing")
JOINED = on("Consent Given", topic="newsletter")
"""When the address has confirmed it, not when the form was sent."""


@journey(trigger=JOINED, exit=on("Unsubscribed"))
class WelcomeSeries(Journey):
    """Say hello, hear what they came for, and send them that; the best of the month on a weekday morning."""

    async def steps(self) -> None:
        await self.send_email("welcome/hello", topic="newsletter")
        first = await self.wait_first({Interest.LEARN: LEARNS, Interest.BUY: BUYS}, timeout=days(3))
        match first.which if first else None:
            case Interest.LEARN:
                await self.set_attribute("interest", Interest.LEARN)
                await self.send_email("welcome/guides", topic="newsletter")
            case Interest.BUY:
                await self.set_attribute("interest", Interest.BUY)
                await self.adjust_score(+10, reason="came to buy")
                await self.send_email("welcome/offer", topic="newsletter")
            case None:
                await self.send_email("welcome/stories", topic="newsletter")
        await self.wait(days=4)
        await self.wait_until(weekday("weekdays", time(9)))
        await self.send_email("welcome/best-of", topic="newsletter")
        if await self.absent(on("Email Opened"), within=days(30)):
            await self.tag("silent subscriber")
