from tabiji import Journey, after, journey, on


@journey(trigger=on("Preferences Requested"), reentry=after(days=1))
class PreferencesLink(Journey):
    """Send a new link to the page with their choices, to the address we have, once a day at most."""

    async def steps(self) -> None:
        await self.send_email("consent/preferences", topic="preferences")
