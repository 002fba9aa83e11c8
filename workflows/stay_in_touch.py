from tabiji import Journey, after, journey, on


@journey(goal=on("Order Completed"), reentry=after(days=180))
class StayInTouch(Journey):
    """Come back once, a month later, to somebody who was not ready."""

    async def steps(self) -> None:
        await self.wait(days=30)
        await self.send_email("stay-in-touch/news")
