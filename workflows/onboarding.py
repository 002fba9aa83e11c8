from tabiji import Journey, always, days, journey, on

LOGGED_IN = on("Logged In")


@journey(reentry=always)
class Onboarding(Journey):
    """Help a new customer to their first success."""

    async def steps(self) -> None:
        await self.tag("customer")
        await self.send_email("onboarding/welcome")
        if not await self.wait_for(LOGGED_IN, timeout=days(3)):
            await self.send_email("onboarding/first-steps")
