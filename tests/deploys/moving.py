"""One journey in several states of its source: as people began it, and as newer code has it."""

from __future__ import annotations

from tabiji import Journey, days, journey, on

SIGNED = on("Signed")


@journey(name="moving")
class Old(Journey):
    """As people began it."""

    async def steps(self) -> None:
        await self.send_email("first")
        if await self.wait_for(SIGNED, timeout=days(3)):
            await self.send_email("second")


@journey(name="moving")
class New(Journey):
    """A step behind everybody, one before them that they skip, one that is gone."""

    async def steps(self) -> None:
        await self.send_email("first")
        await self.tag("early", if_passed="skip")
        if await self.wait_for(SIGNED, timeout=days(3)):
            await self.tag("signed")
            await self.send_email("second")


@journey(name="moving")
class Unsafe(Journey):
    """A step before the people who wait, and not a word about them."""

    async def steps(self) -> None:
        await self.send_email("first")
        await self.tag("early")
        if await self.wait_for(SIGNED, timeout=days(3)):
            await self.send_email("second")


@journey(name="moving")
class Unread(Journey):
    """A question before the people who wait: its answer is not known."""

    async def steps(self) -> None:
        await self.send_email("first")
        if await self.has_tag("vip"):
            return
        if await self.wait_for(SIGNED, timeout=days(3)):
            await self.send_email("second")


@journey(name="moving")
class Rewaited(Journey):
    """Another wait in the place of the one people are in."""

    async def steps(self) -> None:
        await self.send_email("first")
        if await self.wait_for(on("Paid"), timeout=days(3)):
            await self.send_email("second")
