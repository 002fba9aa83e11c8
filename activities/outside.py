"""Ends that a journey could not tell of: terminated in the Temporal UI, timed out, forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from models.closing import Closing
from models.database import Database, lock_contacts, table
from models.enrollment import Enrollment, Listener
from models.sqlite import Lane
from models.waits import reopen
from tabiji.domain.orders import Ending
from tabiji.temporal import JOURNEY

NO_LAST_WORD = (WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT)
RPC_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True)
class Closed:
    """A workflow that was ended from outside, and when; None where Temporal has forgotten."""

    at: datetime | None


class Outside:
    """Finds what Temporal has ended, and says so in our table."""

    def __init__(self, client: Client, database: Database, closing: Closing) -> None:
        self._client = client
        self._database = database
        self._closing = closing

    async def look(self, enrollment_id: str) -> bool:
        """End an enrollment that Temporal has ended. Whether it did.

        No row lock is held while Temporal is asked, so a reset may come between its answer and our note. That is why
        it is asked again, and what a new run has already written down about its waits is left alone until then.
        """
        closed = await self.closed(enrollment_id)
        if closed is None or not await self._closing.close(
            enrollment_id, Ending.TERMINATED, "terminated in Temporal", at=closed.at
        ):
            return False
        ended = await self.closed(enrollment_id) is not None
        await self._database.transact(
            partial(_forget_waits if ended else _reopen, enrollment_id=enrollment_id), Lane.OUTBOX
        )
        return ended

    async def never_started(self, enrollment_id: str) -> None:
        """End an enrollment whose start will never arrive: it must not keep the contact from entering again."""
        if await self._closing.close(enrollment_id, Ending.FAILED, "could not be started", at=None):
            await self._database.transact(partial(_forget_waits, enrollment_id=enrollment_id), Lane.OUTBOX)

    async def closed(self, enrollment_id: str) -> Closed | None:
        """Whether Temporal has ended this workflow's latest run and its journey could not say so."""
        try:
            found = await self._client.get_workflow_handle(enrollment_id).describe(rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND and not no_namespace(error):
                return Closed(None)
            raise
        return Closed(found.close_time) if found.status in NO_LAST_WORD else None

    async def look_at_all(self, *, most: int = 1000) -> int:
        """Find enrollments that were terminated in the Temporal UI and end them. Returns how many.

        A reset leaves a terminated run behind it too: what counts is the latest run.
        """
        query = f'ExecutionStatus IN ("Terminated", "TimedOut") AND {JOURNEY.name} IS NOT NULL'
        ids = [found.id async for found in self._client.list_workflows(query, limit=most)]
        return sum([await self.look(id) for id in await self._still_running(ids)])

    async def _still_running(self, ids: Sequence[str]) -> Sequence[str]:
        enrollments = table(Enrollment)
        running = select(enrollments.c.id).where(enrollments.c.id.in_(ids), enrollments.c.state == "running")
        async with self._database.read() as tx:
            return (await tx.execute(running)).scalars().all()


def no_namespace(error: RPCError) -> bool:
    """A namespace that is not there answers NOT_FOUND too, and must not end anybody's journey."""
    return any("NamespaceNotFound" in detail.type_url for detail in error.grpc_status.details)


async def _forget_waits(tx: AsyncConnection, enrollment_id: str) -> None:
    listeners, enrollments = table(Listener), table(Enrollment)
    over = select(enrollments.c.id).where(enrollments.c.id == enrollment_id, enrollments.c.state != "running")
    await tx.execute(delete(listeners).where(listeners.c.enrollment_id.in_(over)))


async def _reopen(tx: AsyncConnection, enrollment_id: str) -> None:
    enrollments = table(Enrollment)
    contact = await tx.scalar(
        select(enrollments.c.contact_id).where(
            enrollments.c.id == enrollment_id, enrollments.c.state == Ending.TERMINATED.value
        )
    )
    if contact is not None:
        await lock_contacts(tx, [contact])
        await reopen(tx, enrollment_id)
