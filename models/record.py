"""The entrance for everything contacts do: one transaction stores it, finds who waits for it, and writes down
what must reach Temporal. Delivery comes right after the commit.

A group of items costs a fixed number of statements, whatever its size: their identities, one sorted lock, the events,
who listens. More only where somebody is changed, woken or entered.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.accounts import Joined, note_groups
from models.change import Change, Moment, as_incoming
from models.clock import Clock
from models.database import Database, lock_contacts
from models.enroll import Entry, Pending, enroll
from models.evaluate import Evaluation, Stored
from models.identities import LostRace, contacts_for, settle
from models.incoming import Incoming
from models.learning import New, learn_all, note_consents, says_something
from models.locks import lock_many
from models.pilots import Heard, note_events
from models.sqlite import Lane
from models.store import Said, seqs_of, store
from models.touches import note_touches
from models.webhook_outbox import WebhookOutbox
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import Entered

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one item. `entered` names the enrollments it began."""

    seq: int
    contact_id: UUID
    duplicate: bool
    entered: tuple[str, ...] = ()


class Outbox(Protocol):
    """Takes what has been committed and must reach Temporal."""

    def offer(self, pending: Sequence[Pending]) -> None:
        """Deliver soon. Never blocks, never raises: what is lost here the sweep finds."""
        ...


class Recorder:
    """Records what contacts do."""

    def __init__(
        self, database: Database, catalog: Catalog, clock: Clock, outbox: Outbox, *, lane: Lane = Lane.PEOPLE
    ) -> None:
        """Put together.

        Args:
            database: Where.
            catalog: The journeys that are loaded here.
            clock: Of what comes in.
            outbox: Takes what must reach Temporal.
            lane: With whom changes queue where there is one writer.
        """
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._outbox = outbox
        self._lane = lane
        self._webhooks = WebhookOutbox()

    async def record(self, batch: Sequence[Incoming]) -> list[Recorded]:
        """Store a batch and wake whoever waits for it. All of it or nothing.

        A `message_id` seen before stores nothing and wakes nobody. Items count in their order: an event after
        the one that entered a journey is seen by that journey.

        Raises:
            DatabaseDown: Nothing is known to be stored; the same batch may be sent again.
            UnknownContact: An item names a contact that is not there.
        """
        if not batch:
            return []
        while True:
            try:
                recorded, pending = await self._database.transact(lambda tx: self._record(tx, batch), self._lane)
            except LostRace:
                continue
            self._outbox.offer(pending)
            return recorded

    async def change(
        self,
        contact_id: UUID,
        work: Callable[[Change], Coroutine[Any, Any, T]],
        *,
        source: str,
        moment: Moment | None = None,
    ) -> T:
        """Change a contact, and record what `work` tells of it: all of it or nothing.

        `work` runs under the contact's lock, and again from the start when the database broke a deadlock. What it
        tells enters journeys, reaches goals and ends waits as any event does.

        Args:
            contact_id: Whom.
            work: Writes through `change.tx`, and tells.
            source: What makes the change, and makes its events count once: an order's key, or a message's id.
            moment: When; now, where not given.

        Raises:
            UnknownContact: No such contact.
            DatabaseDown: Nothing is known to be changed.
        """
        when = moment or Moment(self._clock.now(), self._clock.wall())

        async def transaction(tx: AsyncConnection) -> tuple[T, list[Pending]]:
            contact = (await lock_contacts(tx, [contact_id]))[contact_id]
            recorded_at = await self._database.now(tx)
            change = Change(tx, contact, when.at, recorded_at, source)
            answer = await work(change)
            evaluation = Evaluation(tx, self._catalog, when.at, when.wall, recorded_at, when.tempo, when.test)
            evaluation.contacts[contact.id] = change.contact
            told = [Said(as_incoming(one, contact.id, when.at), contact.id) for one in change.told]
            await evaluation.hear(told)
            await _tell(evaluation, told)
            await self._webhooks.write(tx, evaluation.over, recorded_at=recorded_at)
            return answer, await evaluation.dispatched()

        answer, pending = await self._database.transact(transaction, self._lane)
        self._outbox.offer(pending)
        return answer

    async def enroll(
        self, journey: str, contact_id: UUID, *, tempo: float | None = None, entry_key: str = ""
    ) -> Entered:
        """Enter a contact into a journey by hand or by API.

        Raises:
            UnknownJourney: No such journey is loaded.
            UnknownContact: No such contact.
        """
        spec = self._catalog.get(journey)

        async def work(tx: AsyncConnection) -> tuple[Entered, tuple[Pending, ...]]:
            contact = (await lock_contacts(tx, [contact_id]))[contact_id]
            entry = Entry(
                contact=contact,
                entered_at=self._clock.now(),
                entered_wall=self._clock.wall(),
                recorded_at=await self._database.now(tx),
                entry_key=entry_key,
                tempo=tempo,
            )
            enrolled = await enroll(tx, spec, entry)
            return enrolled.entered, enrolled.pending

        entered, pending = await self._database.transact(work, self._lane)
        self._outbox.offer(pending)
        return entered

    async def _record(self, tx: AsyncConnection, batch: Sequence[Incoming]) -> tuple[list[Recorded], list[Pending]]:
        recorded_at = await self._database.now(tx)
        now = self._clock.now()
        resolved = await contacts_for(tx, batch, now=now, recorded_at=recorded_at)
        # Lock, then read: what is read before the lock is older than what the lock waited for.
        locked = await lock_many(tx, resolved.to_lock)
        settled = await settle(tx, resolved, locked, now=now)
        said = list(map(Said, batch, settled.contacts, settled.identities))
        seqs = await store(tx, said, recorded_at=recorded_at)
        new = _new_ones(said, resolved.addresses, dict(seqs))
        evaluation = Evaluation(tx, self._catalog, now, self._clock.wall(), recorded_at, contacts=settled.rows)
        await note_consents(tx, new, recorded_at=recorded_at)
        joined = (Joined(one.contact, one.identity, one.item.group, one.item.at) for one in new if one.item.group)
        await note_groups(tx, joined, recorded_at=recorded_at)
        await note_touches(tx, [(one.item, one.contact) for one in new if one.item.touch], recorded_at=recorded_at)
        await note_events(tx, [Heard(one.item.name, one.item.properties, one.contact) for one in new])
        await evaluation.know(one.contact for one in new if says_something(one))
        learned = await learn_all(tx, new, evaluation.contacts)
        facts = [*learned, *(Said(as_incoming(told, contact, now), contact) for contact, told in settled.told)]
        stored = [Stored(one.item, one.contact, one.seq) for one in new]
        await evaluation.hear([*stored, *facts])
        entered = await evaluation.go_through(stored)
        await _tell(evaluation, facts)
        await self._webhooks.write(tx, evaluation.over, recorded_at=recorded_at)
        recorded = await _answers(tx, said, seqs, entered)
        return recorded, [*settled.pending, *await evaluation.dispatched()]


async def _tell(evaluation: Evaluation, facts: Sequence[Said]) -> None:
    """Record changes that this transaction has made of contacts it has locked; who listens for them is known."""
    seqs = await store(evaluation.tx, facts, recorded_at=evaluation.recorded_at)
    new = [Stored(fact, contact, seqs.pop(fact.message_id)) for fact, contact, _ in facts if fact.message_id in seqs]
    await evaluation.go_through(new)


def _new_ones(said: Sequence[Said], addresses: Sequence[str | None], seqs: dict[str, int]) -> list[New]:
    """What was not there before. Where one message comes twice in a batch, the first is it."""
    return [
        New(item, contact, seqs.pop(item.message_id), address, identity)
        for (item, contact, identity), address in zip(said, addresses, strict=True)
        if item.message_id in seqs
    ]


async def _answers(
    tx: AsyncConnection, said: Sequence[Said], seqs: dict[str, int], entered: dict[str, tuple[str, ...]]
) -> list[Recorded]:
    """What became of each item. The first of each message that is in `seqs` is new, everything else a copy."""
    known = await seqs_of(tx, [item.message_id for item, *_ in said if item.message_id not in seqs])
    seen: set[str] = set()
    recorded: list[Recorded] = []
    for item, contact, _ in said:
        message = item.message_id
        if message in seqs and message not in seen:
            seen.add(message)
            recorded.append(Recorded(seqs[message], contact, False, entered.get(message, ())))
        else:
            recorded.append(Recorded(seqs[message] if message in seqs else known[message], contact, True))
    return recorded
