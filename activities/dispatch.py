"""Delivers what has been committed: starts, signals and cancellations to Temporal, at least once, in order per contact.

The road is short: right after the commit the same process delivers. The net is slow: every few seconds a sweep
finds what a crash or an outage left behind. A journey recognises a second copy.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.outside import RPC_TIMEOUT, Outside, no_namespace
from models.closing import Closing
from models.database import AnyRow, Database, table
from models.enroll import Pending
from models.enrollment import Dispatch, Enrollment
from models.sqlite import Lane
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import SIGNAL, EnrollmentInput, Happened
from tabiji.errors import DatabaseDown
from tabiji.temporal import CONTACT, JOURNEY

log = structlog.stdlib.get_logger(__name__)

AT_ONCE = 32
"""Deliveries under way at the same time in one process."""
LEASE = timedelta(seconds=30)
GRACE = timedelta(seconds=2)
"""Younger rows belong to the process that wrote them."""
SWEEP = 5.0
PATIENCE = (0.1, 0.5, 2.0)
"""Seconds between the tries on the fast road; then the sweep takes over."""
PAGE = 500
"""Rows a sweep takes at a time."""
HOPELESS = frozenset({RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.OUT_OF_RANGE, RPCStatusCode.UNIMPLEMENTED})
"""Answers that will be the same next time: a dead letter, which does not block its contact."""


@dataclass
class Counts:
    """What this process has delivered. `redelivered` counts what the net caught: it should stay near zero."""

    delivered: int = 0
    late: int = 0
    dead: int = 0
    retried: int = 0
    redelivered: int = 0


@dataclass
class _Queue:
    """One contact's deliveries, in the order they were committed."""

    waiting: deque[int] = field(default_factory=deque[int])


class Dispatcher:
    """One process's outbox."""

    def __init__(
        self,
        client: Client,
        database: Database,
        catalog: Catalog,
        *,
        task_queue: str,
        sweep_every: float = SWEEP,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._database = database
        self._catalog = catalog
        self._outside = Outside(client, database, Closing(database, catalog, self))
        self._task_queue = task_queue
        self._sweep_every = sweep_every
        self._spread = spread
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._backlog_slots = asyncio.Semaphore(AT_ONCE // 4)
        self._queues: dict[UUID, _Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.counts = Counts()

    def offer(self, pending: Sequence[Pending]) -> None:
        """Deliver soon, in order per contact. Never blocks, never raises."""
        for one in pending:
            queue = self._queues.get(one.contact_id)
            if queue is None:
                queue = self._queues[one.contact_id] = _Queue()
                self._spawn(self._work_off(one.contact_id, queue))
            queue.waiting.append(one.id)

    async def settle(self) -> None:
        """Wait until what was offered has been delivered or left to the sweep."""
        await self._idle.wait()

    async def run(self) -> None:
        """Sweep until cancelled: at start, then every few seconds with jitter."""
        while True:
            before = self.counts.delivered
            try:
                found = await self.sweep()
                if found >= PAGE and self.counts.delivered > before:
                    continue  # a long backlog that flows does not wait for the next round
            except DatabaseDown as error:
                log.warning("dispatch.sweep_failed", problem=str(error))
            except Exception:
                log.exception("dispatch.sweep_failed")
            await asyncio.sleep(self._sweep_every * (0.8 + 0.4 * self._spread()))

    async def close(self) -> None:
        """Stop. What is under way is cancelled; the next sweep of any process finds it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def sweep(self, *, most: int = PAGE) -> int:
        """Deliver what is older than the grace and under nobody's lease. Returns how many rows were found."""
        found = await self._database.transact(lambda tx: self._lease(tx, most), Lane.OUTBOX)
        contacts: dict[UUID, list[int]] = {}
        for row in found:
            contacts.setdefault(row.contact_id, []).append(row.id)
        if found:
            self.counts.redelivered += len(found)
            log.info("dispatch.redelivering", rows=len(found))
        await asyncio.gather(*(self._redeliver(ids) for ids in contacts.values()))
        return len(found)

    async def _lease(self, tx: AsyncConnection, most: int) -> Sequence[AnyRow]:
        rows = table(Dispatch)
        now = await self._database.now(tx)
        free = or_(rows.c.lease_until.is_(None), rows.c.lease_until < now)
        due = (
            select(rows.c.id)
            .where(rows.c.state == "pending", rows.c.recorded_at < now - GRACE, free)
            .order_by(rows.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        leased = await tx.execute(
            update(rows)
            .where(rows.c.id.in_(due.scalar_subquery()))
            .values(lease_until=now + LEASE)
            .returning(rows.c.id, rows.c.contact_id)
        )
        return sorted(leased.all(), key=lambda row: row.id)

    async def _redeliver(self, ids: Sequence[int]) -> None:
        # The backlog has its own lane: fresh events never queue behind it.
        async with self._backlog_slots:
            for place, id in enumerate(ids):
                if not await self._try_row(id):
                    await self._release(ids[place:])
                    return

    async def _release(self, ids: Sequence[int]) -> None:
        """Free at once for the next sweep: the lease is for the process that dies."""
        rows = table(Dispatch)
        free = update(rows).where(rows.c.id.in_(ids), rows.c.state == "pending").values(lease_until=None)
        with suppress(DatabaseDown):
            async with self._database.write(Lane.OUTBOX) as tx:
                await tx.execute(free)

    async def _work_off(self, contact_id: UUID, queue: _Queue) -> None:
        try:
            while queue.waiting:
                if not await self._try_patiently(contact_id, queue.waiting[0]):
                    break  # the sweep takes the contact from here, oldest first
                queue.waiting.popleft()
        finally:
            del self._queues[contact_id]

    async def _try_patiently(self, contact_id: UUID, id: int) -> bool:
        for pause in (0.0, *PATIENCE):
            await asyncio.sleep(pause)
            async with self._slots:
                if await self._try_in_order(contact_id, id):
                    return True
        return False

    async def _try_row(self, id: int) -> bool:
        return await self._try(lambda tx: self._read(tx, table(Dispatch).c.id == id))

    async def _try_in_order(self, contact_id: UUID, id: int) -> bool:
        """Deliver one row, and before it what an outage left behind of the same contact."""
        rows = table(Dispatch)

        async def up_to(tx: AsyncConnection) -> Sequence[AnyRow]:
            left = rows.c.recorded_at < await self._database.now(tx) - GRACE
            return await self._read(
                tx, (rows.c.contact_id == contact_id) & ((rows.c.id == id) | (rows.c.id < id) & left)
            )

        return await self._try(up_to)

    async def _try(self, read: Callable[[AsyncConnection], Coroutine[Any, Any, Sequence[AnyRow]]]) -> bool:
        """Deliver some rows, one after the other. False when they should be tried again."""
        try:
            async with self._database.read() as tx:
                found = await read(tx)
            for row in found:
                await self._deliver_and_mark(row)
        except (RPCError, DatabaseDown, RuntimeError) as failure:
            self.counts.retried += 1
            log.warning("dispatch.retried", problem=type(failure).__name__)
            return False
        return True

    async def _deliver_and_mark(self, row: AnyRow) -> None:
        state, error = await self._deliver(row)
        if state == "late" and row.state == "running":
            await self._outside.look(row.enrollment_id)
        if state == "dead" and row.kind == "start":
            await self._outside.never_started(row.enrollment_id)
        await self._database.transact(lambda tx: self._mark(tx, row, state, error), Lane.OUTBOX)
        match state:
            case "delivered":
                self.counts.delivered += 1
            case "late":
                self.counts.late += 1
            case _:
                self.counts.dead += 1
                log.error("dispatch.dead", dispatch=row.dispatch_id, enrollment_id=row.enrollment_id, problem=error)

    async def _read(self, tx: AsyncConnection, where: ColumnElement[bool]) -> Sequence[AnyRow]:
        rows, enrollments = table(Dispatch), table(Enrollment)
        query = (
            select(
                rows.c.id.label("dispatch_id"),
                rows.c.kind,
                rows.c.payload,
                rows.c.enrollment_id,
                enrollments.c.journey,
                enrollments.c.contact_id,
                enrollments.c.entered_at,
                enrollments.c.entered_wall,
                enrollments.c.entry_seq,
                enrollments.c.trigger,
                enrollments.c.tempo,
                enrollments.c.test,
                enrollments.c.start_confirmed,
                enrollments.c.state,
            )
            .join(enrollments, enrollments.c.id == rows.c.enrollment_id)
            .where(where, rows.c.state == "pending")
            .order_by(rows.c.id)
            .limit(PAGE)
        )
        return (await tx.execute(query)).all()

    async def _deliver(self, row: AnyRow) -> tuple[str, str | None]:
        if row.kind == "start" and row.start_confirmed:
            # A signal has brought it along. Starting again would be harmless only while Temporal remembers the id.
            return "delivered", None
        if row.kind == "cancel" and row.state != "running":
            return "late", None
        try:
            if row.kind == "cancel":
                await self._client.get_workflow_handle(row.enrollment_id).cancel(rpc_timeout=RPC_TIMEOUT)
            elif row.kind == "signal" and row.start_confirmed:
                await self._client.get_workflow_handle(row.enrollment_id).signal(
                    SIGNAL, Happened.model_validate(row.payload), rpc_timeout=RPC_TIMEOUT
                )
            else:
                await self._start(row)
        except WorkflowAlreadyStartedError:
            return ("delivered", None) if row.kind == "start" else ("late", None)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND and row.start_confirmed and not no_namespace(error):
                return "late", None
            if error.status in HOPELESS:
                return "dead", f"{error.status.name}: {error.message}"[:500]
            raise
        except ValueError as error:
            # Of another version, or changed by hand: it will read no better next time.
            return "dead", f"cannot be read: {type(error).__name__}"
        return "delivered", None

    async def _start(self, row: AnyRow) -> None:
        """Start; for a signal whose start is not confirmed, start and signal in one call."""
        start = EnrollmentInput(
            enrollment_id=row.enrollment_id,
            contact_id=str(row.contact_id),
            journey=row.journey,
            entered_at=row.entered_at,
            entered_wall=row.entered_wall,
            entry_seq=row.entry_seq,
            trigger=Happened.model_validate(row.trigger) if row.trigger else None,
            tempo=row.tempo,
            test=row.test,
        )
        signalling = row.kind == "signal"
        await self._client.start_workflow(
            row.journey,
            start,
            id=row.enrollment_id,
            task_queue=self._task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=(WorkflowIDConflictPolicy.USE_EXISTING if signalling else WorkflowIDConflictPolicy.FAIL),
            start_signal=SIGNAL if signalling else None,
            start_signal_args=[Happened.model_validate(row.payload)] if signalling else [],
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(JOURNEY, row.journey), SearchAttributePair(CONTACT, str(row.contact_id))]
            ),
            static_summary=self._title(row),
            rpc_timeout=RPC_TIMEOUT,
        )

    def _title(self, row: AnyRow) -> str:
        title = self._catalog.get(row.journey).title if row.journey in self._catalog else row.journey
        return f"{title.rstrip('.')} (test, {row.tempo:g} times as fast)" if row.test else title

    async def _mark(self, tx: AsyncConnection, row: AnyRow, state: str, error: str | None) -> None:
        rows, enrollments = table(Dispatch), table(Enrollment)
        await tx.execute(
            update(rows)
            .where(rows.c.id == row.dispatch_id, rows.c.state == "pending")
            .values(state=state, error=error, attempts=rows.c.attempts + 1, delivered_at=await self._database.now(tx))
        )
        if state == "delivered" and not row.start_confirmed:
            await tx.execute(
                update(enrollments).where(enrollments.c.id == row.enrollment_id).values(start_confirmed=True)
            )

    async def mark_terminated(self, *, most: int = 1000) -> int:
        """See `Outside.look_at_all`."""
        return await self._outside.look_at_all(most=most)

    def _spawn(self, work: Any) -> None:
        self._idle.clear()
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._gone)

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._tasks:
            self._idle.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("dispatch.broken", problem=type(task.exception()).__name__, exc_info=task.exception())
