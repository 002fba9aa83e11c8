"""Makes broadcasts, and says what is to become of them. Carrying them out is `models.broadcast_pages`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.broadcast import Broadcast, BroadcastRecipient
from models.bulk import Matching, Rows, among
from models.clock import Clock
from models.contact import Contact, Identity
from models.database import AnyRow, Database, database_time, insert, table
from models.locks import lock_many
from models.message import Message
from models.pause import Pause, Scope
from models.pauses import lift, put
from models.suppressions import as_contacts_have_it
from tabiji.domain.audience import Audience, Listed, Tagged
from tabiji.domain.broadcasts import EARLIEST_ZONE, State
from tabiji.domain.content import ContentTest
from tabiji.domain.sending.asked import MOST_DELAY
from tabiji.errors import Refused, UnknownSegment

_PEOPLE = Rows(BroadcastRecipient, ("broadcast_id", "contact_id", "tries"), unless="broadcast_id, contact_id")
_IDENTITIES = Matching(Identity, ("kind", "value"))
_OPEN = (State.DRAFT.value, State.SCHEDULED.value, State.SENDING.value)


@dataclass(frozen=True, kw_only=True)
class Whom:
    """To whom a broadcast goes: one of these."""

    list: str | None = None
    tag: str | None = None
    segment: str | None = None
    people: bool = False

    def kept(self) -> dict[str, object]:
        """As its row keeps it.

        Raises:
            UnknownSegment: There is none of that name.
            Refused: Not exactly one is named.
        """
        if self.segment is not None:
            raise UnknownSegment(self.segment)
        named = {name: value for name, value in vars(self).items() if value}
        if len(named) != 1:
            raise Refused("say to whom: a list, a tag, or people. One of them.")
        return named


def audience_of(kept: dict[str, object]) -> Audience | None:
    """The filter behind it; None: people who were named one by one."""
    match kept:
        case {"list": str(name)}:
            return Listed(list=name)
        case {"tag": str(name)}:
            return Tagged(tag=name)
        case _:
            return None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What somebody wants sent.

    Attributes:
        at: When it begins; None: at once.
        local_at: A date and time on each person's own clock, in place of `at`.
        rate: A second at most.
        draft: People are still to be named.
    """

    name: str
    template: str
    topic: str
    whom: Whom
    at: datetime | None = None
    local_at: datetime | None = None
    rate: float | None = None
    delay: timedelta = MOST_DELAY
    priority: int = 0
    content: ContentTest | None = None
    draft: bool = False


class Broadcasts:
    """Each of these is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, plan: Plan, *, by: str) -> UUID:
        """Make one. It begins at its time, unless it is a draft.

        Raises:
            UnknownSegment, Refused: Nobody can be found by what it says of whom it is for.
        """
        made = self.row_of(plan)
        id: UUID = made.id

        async def work(tx: AsyncConnection) -> None:
            written = {"by": by, "recorded_at": await database_time(tx)}
            await tx.execute(insert(tx, Broadcast).values(**vars(made), **written))

        await self._database.transact(work)
        return id

    async def row(self, id: UUID) -> AnyRow | None:
        """What was written down of it."""
        broadcasts = table(Broadcast)
        async with self._database.read() as tx:
            return (await tx.execute(select(broadcasts).where(broadcasts.c.id == id))).one_or_none()

    def row_of(self, plan: Plan) -> Any:
        """What would be written down of it. See `create`."""
        if plan.at is not None and plan.local_at is not None:
            raise Refused("say `at`, or `local_at` for each person's own time, and not both.")
        return SimpleNamespace(
            id=new_id(),
            name=plan.name,
            template=plan.template,
            topic=plan.topic,
            audience=plan.whom.kept(),
            at=plan.at or self._begins(plan.local_at),
            local_at=plan.local_at.isoformat() if plan.local_at is not None else None,
            rate=plan.rate,
            delay_s=int(plan.delay.total_seconds()),
            priority=plan.priority,
            content=plan.content.model_dump(mode="json") if plan.content is not None else None,
            state=(State.DRAFT if plan.draft else State.SCHEDULED).value,
        )

    async def add(self, id: UUID, contacts: Collection[UUID]) -> int:
        """Name people a draft is for, a few thousand at a time. Returns how many are new.

        Raises:
            UnknownContact: One of them is not there.
            Refused: It is no draft for people who are named.
        """

        async def work(tx: AsyncConnection) -> int:
            stand = await lock_many(tx, contacts)
            row = await _locked(tx, id, State.DRAFT)
            if not row.audience.get("people"):
                raise Refused(f"broadcast {id} is for {_words(row.audience)}: nobody can be added by name.")
            return await _PEOPLE.write(tx, [(id, one, 0) for one in sorted({there.id for there in stand.values()})])

        return await self._database.transact(work)

    async def start(self, id: UUID) -> None:
        """Let a draft begin at its time.

        Raises:
            Refused: It is no draft.
        """

        async def work(tx: AsyncConnection) -> None:
            await _locked(tx, id, State.DRAFT)
            await _set(tx, id, state=State.SCHEDULED.value)

        await self._database.transact(work)

    async def pause(self, id: UUID, *, by: str, reason: str | None) -> bool:
        """Claim nothing more for it until it is resumed. False: it is paused already.

        Raises:
            Refused: It is over.
        """

        async def work(tx: AsyncConnection) -> bool:
            await _locked(tx, id, *_OPEN)
            return await put(tx, self._clock, Scope.BROADCAST, [str(id)], by=by, reason=reason) > 0

        return await self._database.transact(work)

    async def resume(self, id: UUID, *, by: str) -> bool:
        """Go on where it was. False: it was not paused."""
        return await self._database.transact(lambda tx: _lift(tx, id, by)) > 0

    async def cancel(self, id: UUID, *, by: str) -> None:
        """Send no more of it. What has been handed to a relay stays sent; who was to get it later will not.

        Raises:
            Refused: It is over.
        """
        messages = table(Message)

        async def work(tx: AsyncConnection) -> None:
            await _locked(tx, id, *_OPEN)
            await _set(tx, id, state=State.CANCELLED.value, finished_at=await database_time(tx))
            await _lift(tx, id, by)
            waiting = messages.c.state.in_(("deferred", "retry"))
            await tx.execute(
                update(messages)
                .where(messages.c.broadcast_id == id, waiting)
                .values(state="refused", reason="cancelled", not_before=None)
            )

        await self._database.transact(work)

    def _begins(self, local_at: datetime | None) -> datetime:
        now = self._clock.now()
        return now if local_at is None else max(now, local_at.replace(tzinfo=now.tzinfo) - EARLIEST_ZONE)


async def find_people(
    tx: AsyncConnection, named: Sequence[tuple[UUID | None, str | None, str | None]]
) -> list[UUID | None]:
    """Contacts by contact id, user id or e-mail, in their order; None: nobody is known by it."""
    by_identity = {("user", user) for _, user, _ in named if user} | {
        ("email", as_contacts_have_it(email)) for *_, email in named if email
    }
    rows = await _IDENTITIES.read(tx, by_identity)
    found = {(row["kind"], row["value"]): row["contact_id"] for row in rows}
    contacts = table(Contact)
    ids = [contact for contact, *_ in named if contact is not None]
    there: set[UUID] = set()
    if ids:
        there = set((await tx.execute(select(contacts.c.id).where(among(tx, contacts.c.id, ids)))).scalars())
    return [
        (contact if contact in there else None)
        if contact is not None
        else found.get(("user", user) if user else ("email", as_contacts_have_it(email or "")))
        for contact, user, email in named
    ]


async def is_paused(tx: AsyncConnection, id: UUID) -> bool:
    """Whether a pause of everything, or of this broadcast, is in force."""
    pauses = table(Pause)
    everything = pauses.c.scope == Scope.EVERYTHING.value
    this = (pauses.c.scope == Scope.BROADCAST.value) & (pauses.c.target == str(id))
    query = select(pauses.c.id).where(pauses.c.resumed_at.is_(None), everything | this).limit(1)
    return await tx.scalar(query) is not None


async def counted(tx: AsyncConnection, id: UUID) -> int:
    """How many recipients are written down."""
    recipients = table(BroadcastRecipient)
    return await tx.scalar(select(func.count()).where(recipients.c.broadcast_id == id)) or 0


async def _locked(tx: AsyncConnection, id: UUID, *states: str) -> AnyRow:
    broadcasts = table(Broadcast)
    row = (await tx.execute(select(broadcasts).where(broadcasts.c.id == id).with_for_update())).one_or_none()
    if row is None:
        raise Refused(f"no broadcast {id}. `tabiji broadcast list` shows them.")
    if row.state not in {str(state) for state in states}:
        raise Refused(f"broadcast {row.name!r} is {row.state}.")
    return row


async def _set(tx: AsyncConnection, id: UUID, **values: object) -> None:
    broadcasts = table(Broadcast)
    await tx.execute(update(broadcasts).where(broadcasts.c.id == id).values(**values))


async def _lift(tx: AsyncConnection, id: UUID, by: str) -> int:
    pauses = table(Pause)
    return await lift(tx, (pauses.c.scope == Scope.BROADCAST.value) & (pauses.c.target == str(id)), by=by)


def _words(audience: dict[str, object]) -> str:
    return ", ".join(f"{kind} {name}" for kind, name in audience.items())
