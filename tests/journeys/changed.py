"""`onboarding` as it would look after an unsafe edit: its first two steps are gone."""

from __future__ import annotations

from tabiji import Journey, days, journey, on


@journey(name="onboarding", trigger=on("Anything"))
class Changed(Journey):
    """Not the onboarding people are in."""

    async def steps(self) -> None:
        await self.wait(days=1)
        await self.wait_for(on("Logged In"), timeout=days(3))
