"""As people began it. Copied into a project's workflows/."""

from __future__ import annotations

from datetime import timedelta

from tabiji import Journey, journey

PATIENCE = timedelta(seconds=120)


@journey(name="road")
class Road(Journey):
    """Two mails with a wait between them."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome")
        await self.wait(PATIENCE)
        await self.send_email("demo/invitation")


@journey(name="brief")
class Brief(Journey):
    """A short wait, then a tag."""

    async def steps(self) -> None:
        await self.wait(timedelta(seconds=10), step="moment")
        await self.tag("old")
