"""The journey that `bench.history` counts, and the same on the bare SDK."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from tabiji import Journey, always, days, journey, on


@journey(trigger=on("Nurtured"), goal=on("Order Completed"), reentry=always)
class Clicked(Journey):
    """Enter, mail, wait a day, clicked? Another mail, or the end."""

    async def steps(self) -> None:
        """See the class."""
        await self.send_email("first")
        if await self.wait_for(on("Email Link Clicked"), timeout=days(1)):
            await self.send_email("second")


@workflow.defn
class Bare:
    """The same journey on the bare SDK: no goal, no summaries, no look-back, nobody told that it ended."""

    def __init__(self) -> None:
        self._clicked = False

    @workflow.signal
    def clicked(self) -> None:
        """The web app's signal."""
        self._clicked = True

    @workflow.run
    async def run(self, day: float) -> None:
        """Mail, wait, mail or end."""
        patience = timedelta(seconds=60)
        await workflow.execute_activity("bare_send", "first", start_to_close_timeout=patience)
        try:
            await workflow.wait_condition(lambda: self._clicked, timeout=day)
        except TimeoutError:
            return
        await workflow.execute_activity("bare_send", "second", start_to_close_timeout=patience)
