"""Journeys with experiments, as authors write them."""

from __future__ import annotations

from datetime import time
from enum import StrEnum

from tabiji import Journey, always, arm, content_test, days, journey, on

BOUGHT = on("Order Completed")
WELCOME = content_test(
    "welcome",
    {"plain": arm(), "story": arm(template="trial/story"), "evening": arm(at=time(18))},
    within=days(14),
)


class By(StrEnum):
    """How to nudge."""

    MAIL = "mail"
    SALES = "sales"


@journey(goal=BOUGHT, reentry=always)
class Welcomed(Journey):
    """A mail whose content is tested, and what comes after it."""

    async def steps(self) -> None:
        mail = await self.send_email("trial/welcome", test=WELCOME)
        await self.tag(f"got {mail.variant}", step="variant")
        await self.wait(days=3)
        await self.send_email("trial/tips", test=WELCOME)


@journey(goal=BOUGHT, reentry=always)
class Nudges(Journey):
    """A split with a goal of its own, and one without."""

    async def steps(self) -> None:
        await self.split("with its own", By, goal=on("Replied"), within=days(2), at_least=50, winner="auto")
        await self.split("with the journey's", By)


@journey(goal=BOUGHT, reentry=always, holdout=0.1)
class Compared(Journey):
    """A tenth of people get none of its mails."""

    async def steps(self) -> None:
        mail = await self.send_email("trial/welcome")
        await self.tag(mail.reason or mail.state, step="fate")
        await self.send_email("trial/receipt", topic="transactional")
