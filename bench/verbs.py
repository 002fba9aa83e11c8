"""One journey for each verb, for `bench.costs`: what it costs is what it has more than the empty one."""

from __future__ import annotations

from datetime import UTC, datetime, time
from enum import StrEnum

from tabiji import Journey, always, content_test, days, hours, journey, on, param

SPAN = param("bench-span", days(1), title="A span")


class Arm(StrEnum):
    """Of an experiment."""

    ONE = "one"
    TWO = "two"


@journey(reentry=always)
class Empty(Journey):
    """Enters and ends."""

    async def steps(self) -> None:
        """See the class."""


@journey(reentry=always)
class SendEmail(Journey):
    """send_email."""

    async def steps(self) -> None:
        """See the class."""
        await self.send_email("one")


@journey(reentry=always)
class SendTested(Journey):
    """send_email: its content under test."""

    async def steps(self) -> None:
        """See the class."""
        await self.send_email("one", test=content_test("subject", ("plain", "warm")))


@journey(reentry=always)
class NotifySales(Journey):
    """notify_sales."""

    async def steps(self) -> None:
        """See the class."""
        await self.notify_sales("look")


@journey(reentry=always)
class Notify(Journey):
    """notify."""

    async def steps(self) -> None:
        """See the class."""
        await self.notify("care", "look")


@journey(reentry=always)
class AdjustScore(Journey):
    """adjust_score."""

    async def steps(self) -> None:
        """See the class."""
        await self.adjust_score(1, reason="bench")


@journey(reentry=always)
class Tag(Journey):
    """tag, untag, join, leave, set_attribute, add_to_attribute, clear_attribute, set_stage."""

    async def steps(self) -> None:
        """See the class."""
        await self.tag("one")


@journey(reentry=always)
class CreateTask(Journey):
    """create_task."""

    async def steps(self) -> None:
        """See the class."""
        await self.create_task("call them", who="care")


@journey(reentry=always)
class CallWebhook(Journey):
    """call_webhook."""

    async def steps(self) -> None:
        """See the class."""
        await self.call_webhook("https://example.com/hook")


@journey(reentry=always)
class Do(Journey):
    """do."""

    async def steps(self) -> None:
        """See the class."""
        await self.do("own")


@journey(reentry=always)
class Read(Journey):
    """attribute, has_tag, in_list, in_segment, score, stage, value, did."""

    async def steps(self) -> None:
        """See the class."""
        await self.has_tag("one")


@journey(reentry=always)
class ThreeReads(Journey):
    """three reads, one after the other."""

    async def steps(self) -> None:
        """See the class."""
        await self.has_tag("one")
        await self.score()
        await self.value(SPAN)


@journey(reentry=always)
class Split(Journey):
    """split."""

    async def steps(self) -> None:
        """See the class."""
        await self.split("bench", Arm)


@journey(reentry=always)
class Now(Journey):
    """now."""

    async def steps(self) -> None:
        """See the class."""
        self.now()


@journey(reentry=always)
class Wait(Journey):
    """wait."""

    async def steps(self) -> None:
        """See the class."""
        await self.wait(days=1)


@journey(reentry=always)
class WaitUntilInstant(Journey):
    """wait_until, an instant."""

    async def steps(self) -> None:
        """See the class."""
        await self.wait_until(datetime(2029, 1, 1, tzinfo=UTC))


@journey(reentry=always)
class WaitUntil(Journey):
    """wait_until, a moment on the contact's clock."""

    async def steps(self) -> None:
        """See the class."""
        await self.wait_until(time(9))


@journey(reentry=always)
class WaitFor(Journey):
    """wait_for, wait_first, wait_all, absent."""

    async def steps(self) -> None:
        """See the class."""
        await self.wait_for(on("Clicked"), timeout=days(1))


@journey(reentry=always)
class Enter(Journey):
    """enter."""

    async def steps(self) -> None:
        """See the class."""
        await self.enter(Empty)


@journey(reentry=always)
class SubJourney(Journey):
    """sub_journey."""

    async def steps(self) -> None:
        """See the class."""
        await self.sub_journey(Wait)


@journey(reentry=always)
class Approval(Journey):
    """approval."""

    async def steps(self) -> None:
        """See the class."""
        await self.approval("Send it?", who="care", timeout=hours(5))


SILENT = (
    SendEmail, SendTested, NotifySales, Notify, AdjustScore, Tag, CreateTask, CallWebhook, Do, Read, ThreeReads, Split,
    Now, Wait, WaitUntilInstant, WaitUntil, Enter, SubJourney,
)  # fmt: skip
"""Played by letting time pass."""
