"""The one entrance for what comes back after a mail: it bounced, somebody complained, answered, or left.

    returns = Returns(database, recorder, rules)
    await returns.bounced(public_id, Kind.HARD_BOUNCE, evidence="550 5.1.1", source="inbound", at=now)
    await returns.complained(public_id, source="ses", at=now)
    await failed(tx, [Failed(public_id, Kind.HARD_BOUNCE, "550 5.1.1")], at=now)    in a transaction of your own

Each writes what is known of the message, then the suppression, then the event, and may be called again with the same:
nothing happens twice. Rehearsals suppress nobody, and a notice to the team is no contact's mail.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contact import Contact
from models.database import AnyRow, Database, table
from models.incoming import ConsentGiven, Incoming
from models.message import Message
from models.replies import Answer, note_answer
from models.suppressions import COMPLAINT, HARD_BOUNCE, SOFT_BOUNCES, Entry, as_contacts_have_it, suppress
from tabiji.domain.bounces import NAMES, Effect, Fate, Kind, SoftRule, effect, evidence_of, soft_until
from tabiji.domain.topics import Topics
from tabiji.errors import UnknownContact
from tabiji.settings import Settings

BOUNCED, COMPLAINED, REPLIED, AUTO_REPLIED, LEFT = (
    "Email Bounced",
    "Email Marked as Spam",
    "Email Replied",
    "Email Auto-Replied",
    "Unsubscribed",
)
SENT = ("sent", "failed", "unknown", "on_wire")
"""States of a message that may have reached somebody, or was refused by a server that knows them."""


class Records(Protocol):
    """Takes events: a `Recorder`, or the API's entrance."""

    async def record(self, batch: Sequence[Incoming]) -> Sequence[object]:
        """See `models.record`."""
        ...


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that did not arrive.

    Attributes:
        message: Its public id.
        kind: Why.
        evidence: The server's code and status; what else is in it is left out.
        permanent: For good. False: the other side gave up for now, and so did we.
    """

    message: str
    kind: Kind
    evidence: str | None = None
    permanent: bool = True


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the house says about mail that comes back.

    Attributes:
        pause: How long an answer pauses marketing at most; None: not at all.
        team: Who is given the task.
    """

    soft: SoftRule = field(default_factory=SoftRule)
    pause: timedelta | None = timedelta(days=7)
    team: str = "sales"
    topics: Topics = field(default_factory=Topics)

    @classmethod
    def of(cls, settings: Settings, topics: Topics) -> Rules:
        """As the settings say."""
        soft = SoftRule(
            times=settings.soft_bounces, within=settings.soft_bounces_within, lasts=settings.soft_bounces_last
        )
        return cls(soft=soft, pause=settings.reply_pause or None, team=settings.reply_team, topics=topics)


async def failed(
    tx: AsyncConnection, failures: Iterable[Failed], *, at: datetime, rules: Rules | None = None, source: str = "smtp"
) -> None:
    """Mark messages that did not arrive, and suppress addresses by class: a fixed number of statements.

    Tell of it afterwards with `Returns.bounced`, which records the event and does nothing of this twice.

    Args:
        tx: Also marks them as failed, if it is the ledger's.
        failures: Which, and why.
        at: Journey time.
        rules: Of soft bounces.
        source: What said so.
    """
    by_message = {one.message: one for one in failures}
    rows = await _messages(tx, by_message)
    marked: dict[str, list[str]] = {}
    for row in rows:
        one = by_message[row.public_id]
        marked.setdefault(_name(one), []).append(row.public_id)
    messages = table(Message)
    for name, ids in marked.items():
        # What came back for good stays so, whatever is heard later.
        first = messages.c.public_id.in_(ids) & (messages.c.bounce.is_(None) | (messages.c.bounce != NAMES[_HARD]))
        await tx.execute(update(messages).where(first).values(bounced_at=at, bounce=name))
    entries = [*_hard(rows, by_message, source)]
    soft = [row for row in rows if _counts(row) and _name(by_message[row.public_id]) == NAMES[Effect.COUNT]]
    entries += await _worn_out(tx, soft, by_message, source, at=at, rule=(rules or Rules()).soft)
    if entries:
        await suppress(tx, entries, at=at)


class Returns:
    """Takes in what comes back, from whatever side."""

    def __init__(self, database: Database, recorder: Records, rules: Rules | None = None) -> None:
        self._database = database
        self._recorder = recorder
        self._rules = rules or Rules()

    async def bounced(
        self,
        about: str,
        kind: Kind | str,
        *,
        permanent: bool = True,
        evidence: str | None = None,
        source: str,
        at: datetime,
    ) -> bool:
        """A mail came back, or was refused for good.

        Args:
            about: The message's public id; or an address that was surely written to by us, where no message is named.
            kind: Why.
            permanent: For good, not for now.
            evidence: The other side's code and status. Prose in it is left out.
            source: What said so: smtp, inbound, a provider's name.
            at: Journey time.

        Returns:
            Whether the message, or anything about the address, is known here.

        Raises:
            DatabaseDown: Nothing is lost if the same is brought again.
        """
        one = Failed(about, Kind(kind), evidence, permanent)
        if "@" in about:
            return await self._address_bounced(one, source, at)

        async def work(tx: AsyncConnection) -> AnyRow | None:
            await failed(tx, [one], at=at, rules=self._rules, source=source)
            return await _message(tx, about)

        row = await self._database.transact(work)
        more: dict[str, JsonValue] = {"kind": one.kind.value, "bounce": _name(one)}
        return await self._tell(row, BOUNCED, at, more, key=f"bounced/{about}/{_name(one)}")

    async def complained(self, about: str, *, source: str, at: datetime) -> bool:
        """Somebody called a mail spam: no more marketing to that address, and their consent to its topic is over.

        Args:
            about: The message's public id, or an address.
            source: What said so.
            at: Journey time.
        """

        async def work(tx: AsyncConnection) -> AnyRow | None:
            row = await _message(tx, about)
            if row is not None:
                await _stamp(tx, row, complained_at=at)
            address = _address(row) if row is not None else about
            if "@" in (address or "") and (row is None or _counts(row)):
                entry = _entry(address or about, COMPLAINT, source, row=row)
                await suppress(tx, [entry], at=at)
            return row

        row = await self._database.transact(work)
        withdrawn = self._withdrawn(row, "complaint") if row is not None and _counts(row) else None
        return await self._tell(row, COMPLAINED, at, {}, key=f"complained/{about}", consent=withdrawn) or "@" in about

    async def replied(
        self, about: str, *, text: str, key: str, source: str, at: datetime, leaves: bool = False
    ) -> bool:
        """Somebody answered a mail: a task for the team, marketing pauses, an event. The text stays in the task.

        Args:
            about: The message's public id.
            text: What they wrote, without what they quoted.
            key: Names this answer: its Message-ID, or a digest.
            source: What said so.
            at: Journey time.
            leaves: They write nothing but that they want no more. Their consent ends, and nobody need be told.
        """
        if leaves:
            return await self.left(about, key=key, source="reply", at=at)
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]

        async def work(tx: AsyncConnection) -> AnyRow | None:
            row = await _message(tx, about)
            if row is None or row.audience != "contact":
                return row
            await _stamp(tx, row, replied_at=at)
            real = _counts(row)
            answer = Answer(
                key=f"reply/{digest}",
                contact_id=row.contact_id,
                message=row.public_id,
                enrollment_id=row.enrollment_id,
                title=f"Answer to {row.template}",
                who=self._rules.team,
                text=text,
                until=at + self._rules.pause if self._rules.pause and real else None,
                tell=real,
                test=not real,
                at=at,
            )
            await note_answer(tx, answer)
            return row

        row = await self._database.transact(work)
        if row is not None and row.audience != "contact":
            return False
        return await self._tell(row, REPLIED, at, {}, key=f"replied/{about}/{digest}")

    async def auto_replied(self, about: str, *, key: str, at: datetime) -> bool:
        """A program answered a mail: an event, and nothing else."""
        row = await self._find(about)
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        return await self._tell(row, AUTO_REPLIED, at, {}, key=f"auto-replied/{about}/{digest}")

    async def left(self, about: str, *, key: str, source: str, at: datetime) -> bool:
        """Somebody wants no more mail of a message's topic, and said so elsewhere than on our pages."""

        async def work(tx: AsyncConnection) -> AnyRow | None:
            row = await _message(tx, about)
            if row is not None:
                await _stamp(tx, row, unsubscribed_at=at)
            return row

        row = await self._database.transact(work)
        if row is None or row.topic is None:
            return False
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        consent = self._withdrawn(row, source)
        more: dict[str, JsonValue] = {"topic": row.topic}
        return await self._tell(row, LEFT, at, more, key=f"left/{about}/{digest}", consent=consent)

    def _withdrawn(self, row: AnyRow, source: str) -> ConsentGiven | None:
        if row.topic is None or self._rules.topics.is_transactional(row.topic):
            return None
        address = _address(row)
        return ConsentGiven(
            topic=row.topic, given=False, source=source, address=as_contacts_have_it(address) if address else None
        )

    async def _address_bounced(self, one: Failed, source: str, at: datetime) -> bool:
        """Of no message we know: only that an address does not exist can be told from that."""
        if _name(one) == NAMES[_HARD]:
            entry = _entry(one.message, HARD_BOUNCE, source, evidence=one.evidence)
            await self._database.transact(lambda tx: suppress(tx, [entry], at=at))
        return await self._find(one.message) is not None

    async def _find(self, about: str) -> AnyRow | None:
        async with self._database.read() as tx:
            return await _message(tx, about)

    async def _tell(
        self,
        row: AnyRow | None,
        name: str,
        at: datetime,
        more: dict[str, JsonValue],
        *,
        key: str,
        consent: ConsentGiven | None = None,
    ) -> bool:
        """Record what happened. False: the message is none of ours, or the contact is gone."""
        if row is None or row.audience != "contact":
            return False
        properties: dict[str, JsonValue] = {"message": row.public_id, "template": row.template, **more}
        incoming = Incoming(
            kind="mail",
            name=name,
            message_id=key,
            at=at,
            properties=properties,
            contact_id=row.contact_id,
            consent=consent,
        )
        try:
            await self._recorder.record([incoming])
        except UnknownContact:
            return False
        return True


_HARD = Effect.SUPPRESS


def _name(one: Failed) -> str:
    return NAMES[effect(one.kind, permanent=one.permanent)]


def _counts(row: AnyRow) -> bool:
    """Rehearsals suppress nobody, and neither does a notice to the team."""
    return not row.test and row.tempo is None and row.audience == "contact"


def _address(row: AnyRow) -> str | None:
    address: str | None = row.recipient or row.email
    return address


def _entry(address: str, reason: str, source: str, *, row: AnyRow | None = None, evidence: str | None = None) -> Entry:
    return Entry(
        value=as_contacts_have_it(address),
        reason=reason,
        source=source,
        evidence=evidence_of(evidence),
        message=row.public_id if row is not None else None,
    )


def _hard(rows: Sequence[AnyRow], failures: dict[str, Failed], source: str) -> Iterable[Entry]:
    for row in rows:
        one, address = failures[row.public_id], _address(row)
        if address and _counts(row) and _name(one) == NAMES[_HARD]:
            yield _entry(address, HARD_BOUNCE, source, row=row, evidence=one.evidence)


async def _worn_out(
    tx: AsyncConnection,
    rows: Sequence[AnyRow],
    failures: dict[str, Failed],
    source: str,
    *,
    at: datetime,
    rule: SoftRule,
) -> list[Entry]:
    """Entries for addresses whose mail came back for now once too often. One statement."""
    if not rows:
        return []
    fates: dict[str, list[Fate]] = {}
    for past in await _past(tx, {row.contact_id for row in rows}, since=at - rule.within):
        if past.recipient:
            alive = bool(past.opened_at or past.clicked_at or past.replied_at)
            fates.setdefault(past.recipient, []).append(Fate(at=past.at, bounce=past.bounce, alive=alive))
    entries: list[Entry] = []
    for row in rows:
        address = _address(row)
        until = soft_until(fates.get(row.recipient, ()), now=at, rule=rule)
        if address and until is not None:
            entry = _entry(address, SOFT_BOUNCES, source, row=row, evidence=failures[row.public_id].evidence)
            entries.append(replace(entry, until=until))
    return entries


async def _past(tx: AsyncConnection, contacts: Collection[UUID], *, since: datetime) -> Sequence[AnyRow]:
    messages = table(Message)
    columns = (messages.c[name] for name in ("recipient", "at", "bounce", "opened_at", "clicked_at", "replied_at"))
    query = select(*columns).where(
        messages.c.contact_id.in_(contacts),
        messages.c.at >= since,
        messages.c.state.in_(SENT),
        messages.c.audience == "contact",
        messages.c.test.is_(False),
    )
    return (await tx.execute(query)).all()


async def _messages(tx: AsyncConnection, public_ids: Collection[str]) -> Sequence[AnyRow]:
    messages, contacts = table(Message), table(Contact)
    query = select(*messages.c, contacts.c.email, contacts.c.tempo).join(
        contacts, contacts.c.id == messages.c.contact_id
    )
    return (await tx.execute(query.where(messages.c.public_id.in_(public_ids)))).all()


async def _message(tx: AsyncConnection, about: str) -> AnyRow | None:
    if "@" in about:
        return await latest_to(tx, about)
    rows = await _messages(tx, [about])
    return rows[0] if rows else None


async def latest_to(tx: AsyncConnection, address: str, *, since: datetime | None = None) -> AnyRow | None:
    """The last message that went to an address, found by the contact who has it or had it."""
    messages, contacts = table(Message), table(Contact)
    query = (
        select(*messages.c, contacts.c.email, contacts.c.tempo)
        .join(contacts, contacts.c.id == messages.c.contact_id)
        .where(contacts.c.email == as_contacts_have_it(address), messages.c.state.in_(SENT))
        .where(messages.c.audience == "contact", messages.c.recipient == contacts.c.email)
        .order_by(messages.c.at.desc())
        .limit(1)
    )
    if since is not None:
        query = query.where(messages.c.at >= since)
    return (await tx.execute(query)).one_or_none()


async def _stamp(tx: AsyncConnection, row: AnyRow, **values: datetime) -> None:
    """Write when something happened first."""
    messages = table(Message)
    for name, at in values.items():
        first = (messages.c.key == row.key) & messages.c[name].is_(None)
        await tx.execute(update(messages).where(first).values({name: at}))
