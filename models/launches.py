"""Draft, pilot, live, closing: asked where somebody is entered, in that transaction; and what stops a pilot."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ScalarSelect, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.clock import Clock
from models.database import AnyRow, Database, database_time, insert, table
from models.launch import EntryRefused, JourneyState, JourneyStateChange
from tabiji.domain.launch import Fact, Launch, Pilot
from tabiji.errors import Refused

log = structlog.stdlib.get_logger(__name__)

ITSELF = "the pilot itself"
"""By whom a pilot is stopped that has reached a limit."""
_SHARDS = 16


class Launches:
    """Sets what state a journey is in, and keeps who said so."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def set(
        self, journey: str, state: Launch, *, unlaunched: Launch, by: str, reason: str | None, pilot: Pilot | None
    ) -> None:
        """Put a journey into a state. A pilot begins to count anew.

        Args:
            journey: Its name.
            state: What it is from now on.
            unlaunched: What it was where nobody has said anything yet.
            by: Who says so.
            reason: Why.
            pilot: Whom it takes, for a pilot and nothing else.

        Raises:
            Refused: A pilot without its rule, or a rule without a pilot.
        """
        if (state is Launch.PILOT) != (pilot is not None):
            raise Refused("a pilot says whom it takes: named people, a number or a share; no other state does.")

        async def work(tx: AsyncConnection) -> None:
            states = table(JourneyState)
            locked = select(states.c.state).where(states.c.journey == journey).with_for_update()
            before = await tx.scalar(locked) or unlaunched.value
            kept = pilot.model_dump(mode="json") if pilot is not None else None
            now = await database_time(tx)
            row = {
                "state": state.value,
                "pilot": kept,
                **dict.fromkeys(("entered", *(fact.value for fact in Fact)), 0),
                "stopped": None,
                "by": by,
                "reason": reason,
                "at": self._clock.now(),
                "recorded_at": now,
            }
            written = insert(tx, JourneyState).values(journey=journey, **row)
            await tx.execute(written.on_conflict_do_update(index_elements=["journey"], set_=row))
            await _keep_change(tx, journey, before, state, by=by, reason=reason, pilot=kept)

        await self._database.transact(work)
        log.info("journey.state", journey=journey, state=state.value, by=by)


def state_of(journey: str) -> ScalarSelect[Any]:
    """The state somebody has put a journey into, for a statement that is made anyway."""
    states = table(JourneyState)
    return select(states.c.state).where(states.c.journey == journey).scalar_subquery()


async def refusal(tx: AsyncConnection, journey: str, state: Launch, contact: AnyRow, *, test: bool) -> str | None:
    """Why a journey does not take somebody who would begin it now; None: it does, and a pilot has counted them.

    Test contacts enter drafts and pilots, and count nowhere.

    Args:
        tx: Holds the contact's lock.
        journey: Its name.
        state: As it was read a moment ago in this transaction.
        contact: Their row.
        test: It is a test enrollment.
    """
    if state is Launch.LIVE or (test and state is not Launch.CLOSING):
        return None
    refused = await _refused_by_pilot(tx, journey, contact) if state is Launch.PILOT else state.value
    if refused is not None and not test:
        await _count_refusal(tx, journey, refused, contact.id)
    return refused


async def note(tx: AsyncConnection, journey: str, fact: Fact) -> str | None:
    """Count a fact against a pilot, and stop the pilot where that was one too many.

    The enrollment it is about is no test. A journey that is no pilot counts nothing.

    Returns:
        Why the pilot has been stopped; None: it goes on.
    """
    states = table(JourneyState)
    column = states.c[fact.value]
    counted = (
        await tx.execute(
            update(states)
            .where(states.c.journey == journey, states.c.state == Launch.PILOT.value)
            .values({column: column + 1})
            .returning(*states.c)
        )
    ).one_or_none()
    if counted is None:
        return None
    counts = {each: getattr(counted, each.value) for each in Fact}
    why = Pilot.model_validate(counted.pilot).broken(counts, counted.entered)
    if why is None:
        return None
    stopped = {"state": Launch.DRAFT.value, "stopped": why, "by": ITSELF, "recorded_at": await database_time(tx)}
    await tx.execute(update(states).where(states.c.journey == journey).values(**stopped))
    await _keep_change(tx, journey, Launch.PILOT.value, Launch.DRAFT, by=ITSELF, reason=why, pilot=counted.pilot)
    log.error("journey.pilot_stopped", journey=journey, why=why)
    return why


async def _refused_by_pilot(tx: AsyncConnection, journey: str, contact: AnyRow) -> str | None:
    states = table(JourneyState)
    mine = states.c.journey == journey
    row = (await tx.execute(select(states.c.pilot).where(mine, states.c.state == Launch.PILOT.value))).one_or_none()
    if row is None:
        return Launch.DRAFT.value  # it has been stopped this moment
    pilot = Pilot.model_validate(row.pilot)
    if pilot.people and not pilot.names(str(contact.id), contact.email):
        return "not in the pilot"
    if pilot.share is not None and not pilot.includes(journey, str(contact.id)):
        return "not in the pilot"
    one_more = update(states).where(mine, states.c.state == Launch.PILOT.value)
    if pilot.number is not None:
        one_more = one_more.where(states.c.entered < pilot.number)
    # Counted by the statement that tests it: of two who come at once the last place goes to one.
    counted = await tx.execute(one_more.values(entered=states.c.entered + 1))
    return None if counted.rowcount else "the pilot is full"


async def _count_refusal(tx: AsyncConnection, journey: str, reason: str, contact_id: UUID) -> None:
    refusals = table(EntryRefused)
    latest = {"contact_id": contact_id, "recorded_at": await database_time(tx)}
    row = {"journey": journey, "reason": reason, "shard": contact_id.int % _SHARDS, "times": 1, **latest}
    await tx.execute(
        insert(tx, EntryRefused)
        .values(**row)
        .on_conflict_do_update(
            index_elements=["journey", "reason", "shard"], set_={"times": refusals.c.times + 1, **latest}
        )
    )


async def _keep_change(
    tx: AsyncConnection,
    journey: str,
    before: str,
    state: Launch,
    *,
    by: str,
    reason: str | None,
    pilot: dict[str, Any] | None,
) -> None:
    await tx.execute(
        insert(tx, JourneyStateChange).values(
            journey=journey,
            before=before,
            state=state.value,
            pilot=pilot,
            by=by,
            reason=reason,
            recorded_at=await database_time(tx),
        )
    )
