"""Journeys for crashes: short, with everything in them that can be interrupted. Copied into the workers' project."""

from __future__ import annotations

from datetime import timedelta

from tabiji import Journey, journey, minutes, on

SIGNED = on("Signed")
MOMENT = timedelta(seconds=2)


@journey(trigger=on("Begun"))
class Crossing(Journey):
    """A mail, a wait for somebody to act, a mail."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome")
        if await self.wait_for(SIGNED, timeout=minutes(10)):
            await self.send_email("demo/invitation")


@journey()
class Guarded(Journey):
    """A mail that must not come twice, and a step after it."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome", delivery="at_most_once")
        await self.tag("crossed")


@journey()
class Hurried(Journey):
    """Two mails with a moment between them."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome")
        await self.wait(MOMENT)
        await self.send_email("demo/invitation")


@journey()
class Bought(Journey):
    """What somebody has asked for: it overtakes."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome", topic="transactional")
