from tabiji import Journey, after, days, journey, on

ASKED = on("Consent Requested", take=("topic",))


@journey(trigger=ASKED, reentry=after(days=7).per("topic"))
class DoubleOptIn(Journey):
    """Ask the address itself whether it wants what was asked for in its name; remind it once, then let it be."""

    async def steps(self) -> None:
        topic = str(self.trigger.properties["topic"]) if self.trigger else ""
        answered = on("Consent Given", topic=topic) | on("Unsubscribed", topic=topic)
        await self.send_email("consent/confirm", topic="confirmation", confirms=topic)
        if await self.wait_for(answered, timeout=days(2), step="answered"):
            return
        await self.send_email("consent/confirm", topic="confirmation", confirms=topic, step="reminder")
        if not await self.wait_for(answered, timeout=days(5), step="answered after all"):
            self.exit("never confirmed")
