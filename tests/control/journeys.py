"""Journeys that people in operations steer."""

from __future__ import annotations

from tabiji import Journey, always, journey, on


class TwoMails(Journey):
    """A mail, a day, a mail."""

    async def steps(self) -> None:
        await self.send_email("first", topic="transactional", step="first")
        await self.wait(days=1, step="wait")
        await self.send_email("second", topic="transactional", step="second")


@journey(trigger=on("Send Begun"), reentry=always, overdue="send")
class SendsWhatIsOverdue(TwoMails):
    """At once after a pause."""

    steps = TwoMails.steps


@journey(trigger=on("Shift Begun"), reentry=always, overdue="shift")
class ShiftsWhatIsOverdue(TwoMails):
    """As late after a pause as it was due in it."""

    steps = TwoMails.steps


@journey(trigger=on("Skip Begun"), reentry=always, overdue="skip")
class SkipsWhatIsOverdue(TwoMails):
    """Not at all after a pause."""

    steps = TwoMails.steps


ALL = (SendsWhatIsOverdue, ShiftsWhatIsOverdue, SkipsWhatIsOverdue)
