"""A helper that journeys of another file use, and a journey to inherit from."""

from __future__ import annotations

from tabiji import Journey, days, on


async def remind(traveller: Journey, template: str) -> None:
    """One mail, and a week to answer it."""
    await traveller.send_email(template, step="remind")
    await traveller.wait_for(on("Email Link Clicked"), timeout=days(7))


class Polite(Journey):
    """Says goodbye. Not a journey of its own."""

    async def steps(self) -> None:
        await self._goodbye()

    async def _goodbye(self) -> None:
        await self.tag("said goodbye")
