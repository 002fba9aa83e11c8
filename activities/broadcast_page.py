"""A page of a broadcast: letters are written ahead, claimed together, sent over several connections, marked together.

The unit of retry is one person. What is wrong with one address or one letter is that person's outcome; what is wrong
with all of them ends the page: a template nobody can be written by, a relay that is away, a pause.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.attempts import attempt, span
from activities.broadcast_marks import Marks
from activities.carrying import in_the_end
from activities.letters import Letter
from activities.post import Post
from models.broadcast_pages import Recipients
from models.broadcasts import is_paused
from models.clock import Clock
from models.database import AnyRow, Database
from models.experiments import drawn
from models.ledger import Answer, Claim, Fate, Posting, public_id
from models.posting import Variant
from models.reads.contacts import ContactShown, whom_to_write
from tabiji import crash
from tabiji.domain.broadcasts import BroadcastOrder, Place
from tabiji.domain.content import ContentTest
from tabiji.domain.orders import SendEmail, SendOutcome
from tabiji.errors import Busy, ChannelDown, DatabaseDown, Paused, Superseded, TabijiError, UnknownContact

log = structlog.stdlib.get_logger(__name__)

CHUNK = 100
"""Claimed in one transaction, which is to stay under 50 ms."""
AHEAD = 2
"""So many chunks are being sent while the next is written and claimed."""
TRIAL = 20
"""So many letters in a row that cannot be written, and the template is taken to be broken."""
LASTS = 45.0
"""Seconds after which a page begins no further chunk: whoever stops a worker does not wait long."""
RELAY_AWAY = 10
"""So many in a row the relay did not take, and it is left alone for a while."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
HELD = timedelta(minutes=10)
"""Between two looks at a person who is paused."""
_SOON = timedelta(milliseconds=100)


class Reason(Enum):
    """Why a page ended."""

    MORE = auto()
    NOBODY_DUE = auto()
    PAUSED = auto()
    BROKEN = auto()
    RELAY = auto()


@dataclass(slots=True)
class Written:
    """A recipient and the letter for them; or why there is none."""

    contact_id: UUID
    tries: int
    place: Place
    contact: ContactShown | None = None
    variant: Variant | None = None
    letter: Letter | None = None
    problem: str | None = None


@dataclass
class Page:
    """One turn's work on one broadcast."""

    database: Database
    post: Post
    clock: Clock
    row: AnyRow
    recipients: Recipients
    connections: int
    sent: int = 0
    refused: int = 0
    problem: str = ""
    order: BroadcastOrder = field(init=False)
    _content: ContentTest | None = field(init=False)
    _not_taken: int = 0
    _again: list[tuple[UUID, datetime | None, int]] = field(default_factory=list[tuple[UUID, datetime | None, int]])

    def __post_init__(self) -> None:
        """Read the test of its content, where it has one."""
        self._content = None if self.row.content is None else ContentTest.model_validate(self.row.content)

    async def send(
        self, order: BroadcastOrder, *, deadline: float, tell: Callable[[BroadcastOrder], BroadcastOrder]
    ) -> Reason:
        """Send until nobody is due, time is up, or something is in the way.

        Raises:
            Superseded: The broadcast is in other hands, or over. What was on the wire has been written down.
        """
        self.order = order
        until = min(_time() + LASTS, deadline - LASTS)
        pace = _Pace(self.row.rate)
        under_way: deque[asyncio.Task[None]] = deque()
        place = order.after
        try:
            while True:
                if _time() > until or activity.is_worker_shutdown():
                    return Reason.MORE
                if self._not_taken >= RELAY_AWAY:
                    return Reason.RELAY
                # Whether a template is broken is not told by one letter.
                most = pace.chunk if self.order.wrote else max(pace.chunk, TRIAL)
                letters, paused = await self._write(place, most)
                if paused:
                    return Reason.PAUSED
                if not letters:
                    return Reason.NOBODY_DUE
                if self._is_broken(letters):
                    return Reason.BROKEN
                claimed = await self._claim(letters := letters[: pace.chunk])
                if claimed is None:
                    return Reason.PAUSED
                place = letters[-1].place
                before = under_way[-1] if under_way else None
                under_way.append(asyncio.create_task(self._deliver(claimed, pace, deadline, place, before)))
                if len(under_way) > AHEAD:
                    await asyncio.shield(under_way[0])
                    under_way.popleft()
                    tell(self.order)
        finally:
            # Cancelled or not: what has been claimed is sent and written down.
            for chunk in under_way:
                await asyncio.shield(chunk)
                tell(self.order)

    async def _write(self, after: Place | None, most: int) -> tuple[list[Written], bool]:
        """Letters for the next who are due. One who cannot be written to stops nobody."""
        async with self.database.read() as tx:
            paused = await is_paused(tx, self.row.id)
            due = [] if paused else await self.recipients.page(tx, after, now=self.clock.now(), most=most)
            people = await whom_to_write(tx, [one.contact_id for one in due]) if due else {}
            variants = await self._variants(tx, list(people.values()))
        written: list[Written] = []
        for one in due:
            place = Place(due=one.due, contact_id=str(one.contact_id))
            letter = Written(one.contact_id, one.tries, place, people.get(one.contact_id))
            if letter.contact is not None:
                letter.variant = variants.get(letter.contact.id)
                self._write_to(letter, letter.contact)
            written.append(letter)
            await asyncio.sleep(0)  # connections are waiting meanwhile
        return written, paused

    async def _variants(self, tx: AsyncConnection, people: Sequence[ContactShown]) -> dict[UUID, Variant]:
        """The arm each has in the test of its content, or would be given; empty where there is none."""
        if self._content is None or not people:
            return {}
        content, asked = self._content, self._content.draw()
        found = await drawn(tx, asked, [one.id for one in people])
        return {contact: Variant(content, asked, arm) for contact, arm in found.items()}

    def _template(self, written: Written) -> str:
        of = written.variant
        template: str = self.row.template
        return template if of is None else of.content.template(of.drawn.arm, template)

    def _write_to(self, written: Written, contact: ContactShown) -> None:
        order = SendEmail(
            enrollment_id=self.row.name,
            contact_id=str(contact.id),
            step="broadcast",
            visit=1,
            at=self.clock.now(),
            template=self._template(written),
            topic=self.row.topic,
        )
        arm = written.variant.drawn.arm if written.variant is not None else None
        try:
            written.letter = self.post.letters.to_contact(contact, order, public_id(self._key(contact.id)), variant=arm)
        except TabijiError as error:
            written.problem = str(error)
        except Exception as error:
            # Whatever it is, it is about this letter: the others are not to pay for it.
            log.exception("broadcast.letter_failed", broadcast=str(self.row.id), contact_id=str(contact.id))
            written.problem = f"{type(error).__name__} while the letter was written"

    def _is_broken(self, letters: Sequence[Written]) -> bool:
        """Whether the template, and not some people's facts, is to blame: then nobody is refused for it."""
        failed = [one.problem for one in letters if one.problem is not None]
        wrote = any(one.letter is not None for one in letters)
        if wrote:
            in_a_row = next((n for n, one in enumerate(reversed(letters)) if one.letter is not None), 0)
            self.order = self.order.model_copy(update={"wrote": True, "broken": in_a_row})
            return False
        if not failed:
            return False
        broken = self.order.broken + len(failed)
        self.problem = failed[-1]
        if not self.order.wrote or broken >= TRIAL:
            return True
        self.order = self.order.model_copy(update={"broken": broken})
        return False

    async def _claim(self, letters: Sequence[Written]) -> list[tuple[Written, Claim]] | None:
        """Claim a chunk. None: a pause came between."""
        crash.point("message.rendered")
        postings = [self._posting(one) for one in letters]
        answers = await self.post.ledger.claim_page(postings, attempt(), guard=self.recipients.guard)
        if any(isinstance(answer, Paused) for answer in answers) and await self._is_paused():
            return None  # a pause of one person would leave the others to be claimed
        claimed: list[tuple[Written, Claim]] = []
        for letter, answer in zip(letters, answers, strict=True):
            if isinstance(answer, Claim):
                claimed.append((letter, answer))
            else:
                self._settle(letter, answer)
        crash.point("message.claimed")
        return claimed

    async def _is_paused(self) -> bool:
        async with self.database.read() as tx:
            return await is_paused(tx, self.row.id)

    def _settle(self, written: Written, answer: Answer) -> None:
        """Note of one who is not written to now whether they are to be taken again."""
        now = self.clock.now()
        match answer:
            case SendOutcome(state="deferred", until=datetime() as until):
                self._put_off(written, until)
            case SendOutcome():
                self.refused += answer.state == "refused"
            case Busy():
                self._put_off(written, now + (answer.retry_after or _SOON))
            case Paused():
                begun = self.row.started_at or now
                late = datetime.now(UTC) - begun > timedelta(seconds=self.row.delay_s)
                self._again.append((written.contact_id, None if late else now + HELD, written.tries + 1))
            case UnknownContact() | Claim():
                pass  # who is gone is left out

    def _posting(self, written: Written) -> Posting:
        letter, contact = written.letter, written.contact
        return Posting(
            key=self._key(written.contact_id),
            contact_id=written.contact_id,
            at=self.clock.now(),
            template=self._template(written),
            variant=written.variant.drawn.arm if written.variant is not None else None,
            tested=written.variant,
            subject=letter.rendered.subject if letter else None,
            address=contact.email if contact else None,
            broadcast_id=self.row.id,
            source=self.row.name,
            step="broadcast",
            topic=self.row.topic,
            delay=timedelta(seconds=self.row.delay_s),
            priority=self.row.priority,
            refusal=f"template: {written.problem}" if written.problem is not None else None,
        )

    def _key(self, contact_id: UUID) -> str:
        return f"broadcast/{self.row.id}/{contact_id}"

    async def _deliver(
        self,
        claimed: Sequence[tuple[Written, Claim]],
        pace: _Pace,
        deadline: float,
        place: Place,
        before: asyncio.Task[None] | None,
    ) -> None:
        """Send a chunk; when all of it, and of the one before, is written down, the place moves on."""
        async with Marks(self.post.ledger) as marks:
            free = asyncio.Semaphore(2 * self.connections)
            sending: list[asyncio.Task[None]] = []
            for written, claim in claimed:
                await pace.turn()
                await free.acquire()
                sending.append(asyncio.create_task(self._send_one(written, claim, marks, deadline)))
                sending[-1].add_done_callback(lambda _: free.release())
            # One that fails ends no other.
            ends = await asyncio.gather(*sending, return_exceptions=True)
        for problem in filter(None, ends):
            raise problem
        await self.post.tell([fate for fate in marks.marked if fate.state == "failed"])
        again, self._again = self._again, []
        await self.recipients.put_off(again)
        if before is not None:
            await before
        self.order = self.order.model_copy(update={"after": place})

    async def _send_one(self, written: Written, claim: Claim, marks: Marks, deadline: float) -> None:
        if written.letter is None:
            raise AssertionError("the ledger gives no claim to a mail that has not been written")
        mail = self.post.letters.compose(written.letter, datetime.now(UTC))
        try:
            fate = await self.post.carrying.carry(claim, mail, deadline, "broadcast")
        except Superseded:
            return
        except (ChannelDown, DatabaseDown) as unclear:
            # The claim stays: when its lease is over the next one finds it, and repeats it under the same Message-ID.
            self._trouble(written, str(unclear), span() + timedelta(seconds=1))
            return
        if fate.state == "retry":
            fate = self._not_now(written, fate)
        else:
            self._not_taken = 0
            self.sent += fate.state == "sent"
        await marks.put(fate)

    def _not_now(self, written: Written, fate: Fate) -> Fate:
        now = self.clock.now()
        ended = in_the_end(fate, now - fate.claim.first_at)
        if ended.state == "failed":
            return ended
        if fate.held:
            # A domain whose rate is used up is no relay that is away: the others go on.
            self._again.append((written.contact_id, now + (fate.after or _SOON), written.tries))
            return fate
        pause = min(FIRST_PAUSE * 2 ** min(written.tries, 10), LONGEST_PAUSE)
        self._trouble(written, fate.reason or "", max(pause, fate.after or _SOON))
        return fate

    def _trouble(self, written: Written, problem: str, after: timedelta) -> None:
        self._not_taken += 1
        self.problem = problem
        self._put_off(written, self.clock.now() + after)

    def _put_off(self, written: Written, due: datetime) -> None:
        self._again.append((written.contact_id, due, written.tries + 1))


class _Pace:
    """A rate: each waits for its turn. One attempt at a time sends for a broadcast, so that it holds over workers."""

    def __init__(self, rate: float | None) -> None:
        self._each = 1 / rate if rate else 0.0
        self._next = 0.0
        self.chunk = max(1, min(CHUNK, int(rate))) if rate else CHUNK
        """So many are claimed at once: a claim is not to grow old."""

    async def turn(self) -> None:
        """Wait until the next may go."""
        if not self._each:
            return
        now = _time()
        wait = self._next - now
        self._next = max(self._next, now) + self._each
        if wait > 0:
            await asyncio.sleep(wait)


def _time() -> float:
    return asyncio.get_running_loop().time()
