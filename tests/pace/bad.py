"""Journeys nobody should write."""

from __future__ import annotations

from tabiji import Journey, always, journey, on


@journey(trigger=on("Loop Begun"), reentry=always)
class MailsForEver(Journey):
    """A loop whose author has forgotten to wait."""

    async def steps(self) -> None:
        while True:
            await self.send_email("whitepaper/welcome", topic="transactional", step="again")


@journey(trigger=on("Ping Begun"), reentry=always)
class Ping(Journey):
    """Enters the other one, which enters this one."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome", topic="transactional", step="ping")
        await self.enter(Pong)


@journey(reentry=always)
class Pong(Journey):
    """See above."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome", topic="transactional", step="pong")
        await self.enter(Ping)


@journey(trigger=on("Storm"))
class GreetsEverybody(Journey):
    """One mail to whoever does something everybody does."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome", topic="transactional", step="hello")


@journey(trigger=on("Calm"))
class Innocent(Journey):
    """One mail."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome", topic="transactional", step="calm")


ALL: list[type[Journey]] = [MailsForEver, Ping, Pong, GreetsEverybody, Innocent]
