"""Carries out a broadcast's turns: writes down whom it is for, then sends to those who are due, page by page."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from temporalio import activity

from activities.attempts import attempt, deadline
from activities.broadcast_page import Page, Reason
from activities.carrying import STALE
from activities.post import Post
from models.broadcast_pages import Recipients
from models.broadcasts import is_paused
from models.clock import Clock
from models.database import AnyRow, Database
from models.pause import Scope
from models.pauses import Pauses
from tabiji.domain.broadcasts import BROADCAST_TURN, BroadcastOrder, State, Turn
from tabiji.errors import Superseded

log = structlog.stdlib.get_logger(__name__)

GATHERING = 30.0
"""Seconds of one turn that only writes recipients down."""
LOOK_AGAIN = timedelta(minutes=10)
"""While it is paused. Who resumes it wakes it."""
AFTER_TROUBLE = timedelta(seconds=30)
ITSELF = "the broadcast itself"
"""By whom a broadcast is paused whose mail cannot be written."""
_BEAT = 2.0


class Broadcasts:
    """`zone` is that of people whose own is unknown."""

    def __init__(self, database: Database, post: Post, clock: Clock, *, zone: ZoneInfo, connections: int) -> None:
        self._database = database
        self._post = post
        self._clock = clock
        self._zone = zone
        self._connections = connections

    @activity.defn(name=BROADCAST_TURN)
    async def turn(self, order: BroadcastOrder) -> Turn:
        """Do what a broadcast asks for now, for a while. May run twice: nobody is written to twice.

        Cut off in the middle, the next attempt begins where the heartbeats say. A worker that is told to stop sends
        what it has claimed, and the next turn goes on.
        """
        details = activity.info().heartbeat_details
        order = BroadcastOrder.model_validate(details[0]) if details else order
        who = attempt()
        holder = f"{who.run_id}/{who.activity_id}/{who.number}"
        recipients = Recipients(self._database, UUID(order.broadcast_id), holder=holder, zone=self._zone)
        beating = _Heart(order)
        beats = asyncio.create_task(beating.beat())
        try:
            row = await recipients.hold()
            return await self._turn(order, row, recipients, beating)
        finally:
            beats.cancel()

    async def _turn(self, order: BroadcastOrder, row: AnyRow | None, recipients: Recipients, heart: _Heart) -> Turn:
        now = self._clock.now()
        if row is None or row.state not in (State.SCHEDULED, State.SENDING):
            return Turn(order=order, over=True, says=row.state if row is not None else "gone")
        if row.at > now:
            return Turn(order=order, wait=row.at - now, says=f"begins at {row.at:%Y-%m-%d %H:%M} UTC")
        async with self._database.read() as tx:
            paused = await is_paused(tx, row.id)
        if paused:
            return Turn(order=order, wait=LOOK_AGAIN, says="paused")
        if row.state == State.SCHEDULED:
            return await self._gather(order, row, recipients, heart)
        return await self._send(order, row, recipients, heart)

    async def _gather(self, order: BroadcastOrder, row: AnyRow, recipients: Recipients, heart: _Heart) -> Turn:
        until = _time() + GATHERING
        after, now = UUID(order.gathered) if order.gathered else None, self._clock.now()
        while True:
            after = await recipients.gather(row, after, now)
            if after is None:
                await recipients.begin(row)
                return Turn(order=order.model_copy(update={"gathered": None}), says="recipients are written down")
            order = heart.tell(order.model_copy(update={"gathered": str(after)}))
            if _time() > until or activity.is_worker_shutdown():
                return Turn(order=order, says="recipients are being written down")

    async def _send(self, order: BroadcastOrder, row: AnyRow, recipients: Recipients, heart: _Heart) -> Turn:
        who = attempt()
        if who.number > 1 and await recipients.left_by_earlier(who.run_id, who.activity_id):
            # An attempt that was only cut off looks at its claims before DATA once they are so old: then nothing of
            # what it holds goes out any more, and what it has sent it has written down.
            await asyncio.sleep(STALE)
        page = Page(self._database, self._post, self._clock, row, recipients, connections=self._connections)
        try:
            ended = await page.send(order, deadline=deadline(), tell=heart.tell)
        except Superseded:
            # In other hands, or cancelled: who holds it now, or the next turn, sees which.
            return Turn(order=heart.order, sent=page.sent, refused=page.refused, says="stopped")
        order = page.order
        turn = Turn(order=order, sent=page.sent, refused=page.refused)
        match ended:
            case Reason.BROKEN:
                await self._alarm(row, page.problem)
                return turn.model_copy(update={"wait": LOOK_AGAIN, "says": f"paused: {page.problem}"})
            case Reason.PAUSED:
                return turn.model_copy(update={"wait": LOOK_AGAIN, "says": "paused"})
            case Reason.RELAY:
                log.warning("broadcast.relay_away", broadcast=str(row.id), problem=page.problem)
                return turn.model_copy(update={"wait": AFTER_TROUBLE, "says": f"the relay: {page.problem}"})
            case Reason.MORE:
                return turn
            case Reason.NOBODY_DUE:
                return await self._then(turn, recipients)

    async def _then(self, turn: Turn, recipients: Recipients) -> Turn:
        now = self._clock.now()
        due = await recipients.next_due(turn.order.after)
        if due is not None:
            wait = max(due - now, timedelta(0))
            return turn.model_copy(update={"wait": wait, "says": f"the next is due at {due:%Y-%m-%d %H:%M} UTC"})
        if await recipients.passed_over(due=now + timedelta(milliseconds=1)):
            return turn
        await recipients.finish()
        log.info("broadcast.done", broadcast=turn.order.broadcast_id)
        return turn.model_copy(update={"over": True, "says": "done"})

    async def _alarm(self, row: AnyRow, problem: str) -> None:
        log.error("broadcast.paused", broadcast=str(row.id), template=row.template, problem=problem)
        pauses = Pauses(self._database, self._clock)
        await pauses.pause(Scope.BROADCAST, str(row.id), by=ITSELF, reason=problem[:500])


class _Heart:
    """Says that the attempt lives, and how far it is."""

    def __init__(self, order: BroadcastOrder) -> None:
        self.order = order

    def tell(self, order: BroadcastOrder) -> BroadcastOrder:
        self.order = order
        activity.heartbeat(order)
        return order

    async def beat(self) -> None:
        while True:
            activity.heartbeat(self.order)
            await asyncio.sleep(_BEAT)


def _time() -> float:
    return asyncio.get_running_loop().time()
