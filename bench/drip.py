"""The journey that `bench.two_mails` measures, and the same written by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow

from tabiji import Journey, always, journey, on
from tabiji.domain.orders import Done, Ended, Ending, EnrollmentInput, Outcome, SendEmail, SendOutcome

WAIT = timedelta(seconds=2)
FIRST, SECOND = "whitepaper/welcome", "demo/follow-up"


@journey(trigger=on("Nurtured"), reentry=always)
class TwoMails(Journey):
    """A mail, a wait, a mail."""

    async def steps(self) -> None:
        """See the class."""
        await self.send_email("whitepaper/welcome")
        await self.wait(WAIT)
        await self.send_email("demo/follow-up")


@workflow.defn(name="by-hand")
class ByHand:
    """The same by hand: the same activities, and nothing else."""

    @workflow.run
    async def run(self, enrollment: EnrollmentInput) -> None:
        """A mail, a wait, a mail, and the end written down."""
        order: dict[str, Any] = {
            "enrollment_id": enrollment.enrollment_id,
            "contact_id": enrollment.contact_id,
            "visit": 1,
        }
        for step in (FIRST, SECOND):
            if step == SECOND:
                await workflow.sleep(WAIT)
            await workflow.execute_activity(
                "send_email",
                SendEmail(**order, step=step, at=workflow.now(), template=step),
                result_type=SendOutcome,
                start_to_close_timeout=timedelta(seconds=60),
                heartbeat_timeout=timedelta(seconds=10),
            )
        outcome = Outcome(ending=Ending.COMPLETED, reason="completed")
        await workflow.execute_local_activity(
            "ended",
            Ended(**order, step="end", at=workflow.now(), outcome=outcome, wall=workflow.now()),
            result_type=Done,
            start_to_close_timeout=timedelta(seconds=2),
        )
