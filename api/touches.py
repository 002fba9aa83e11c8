"""From a pixel that was fetched, or a link that was followed, to the event: who it was, and what is to be held.

A person's click is recorded at once. One that could be a link scanner's is held for a few seconds, in the database,
so that it is not lost with the process; `settle` records it then as what it turned out to be.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from pydantic import JsonValue

from api.parts import Parts
from api.recording import record
from models.database import AnyRow
from models.incoming import Incoming, TouchMade
from models.touches import CLICKED, OPENED, WALKED, Known, due, hold, known_message, touches_of, walked_in
from tabiji.domain.machines import FRESH, Judgement, Request, Touch, Verdict, What, judge
from tabiji.domain.scanners import known_networks
from tabiji.errors import Unavailable, UnknownContact

log = structlog.stdlib.get_logger(__name__)

LOOKED_FOR = 1.0
"""Seconds between two looks for held clicks whose time is over."""


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody, or something, did with a mail.

    Attributes:
        message: The mail's public id.
        url: The link's; None: an open.
        place: The link's number in the mail; 0: not told.
        source: A provider's name, where it was told and not seen.
        at: Journey time; now where not given.
        sure: A provider has judged it already.
        key: Makes it count once; by the minute where not given.
    """

    message: str
    what: What
    url: str | None = None
    place: int = 0
    source: str = ""
    at: datetime | None = None
    sure: Judgement | None = None
    key: str | None = None


async def touched(parts: Parts, told: Told, request: Request) -> Verdict | None:
    """Judge and record it.

    Returns:
        Who it was; None where there is no such mail (any more).

    Raises:
        DatabaseDown: Nothing is known to be recorded; the same may be told again.
    """
    async with parts.database.read() as tx:
        known = await known_message(tx, told.message)
        if known is None:
            return None
        now = await parts.database.now(tx)
        lately = parts.lately.of(told.message, now)
        fresh = now - known.sent_at < FRESH
        earlier = [*(await touches_of(tx, told.message) if fresh else ()), *lately]
    touch = Touch(told.what, told.url, now)
    judged = told.sure or _judged(parts, touch, request, known, earlier)
    parts.lately.note(told.message, Touch(touch.what, touch.url, now, judged.verdict))
    item = _incoming(parts, told, known, judged)
    if judged.verdict is Verdict.DOUBTFUL:
        await _hold(parts, item, known.contact_id, now)
    else:
        await _record(parts, [item])
    parts.metrics.touches.labels(told.what, judged.verdict.value).inc()
    return judged.verdict


async def settle(parts: Parts) -> int:
    """Record held clicks whose time is over. Returns how many; any process may do it, and two at once."""
    async with parts.database.read() as tx:
        rows = await due(tx, await parts.database.now(tx))
        walked = {message: await walked_in(tx, message) for message in {row.message for row in rows}}
    await _record(parts, [_settled(row, is_machines=row.key in walked[row.message]) for row in rows])
    return len(rows)


async def settle_for_ever(parts: Parts) -> None:
    """Look for them again and again; once, where none are held."""
    while True:
        try:
            await settle(parts)
        except Unavailable:
            pass  # a held click waits for the next look
        except Exception as error:
            log.warning("click.not_settled", problem=type(error).__name__)
        if not parts.settings.held_clicks:
            return
        await asyncio.sleep(LOOKED_FOR)


def _judged(parts: Parts, touch: Touch, request: Request, known: Known, earlier: Sequence[Touch]) -> Judgement:
    return judge(
        touch,
        request,
        sent_at=known.sent_at,
        earlier=earlier,
        timed=bool(parts.settings.held_clicks),
        networks=known_networks(parts.settings.scanner_networks),
    )


async def _hold(parts: Parts, item: Incoming, contact_id: UUID, now: datetime) -> None:
    touch = item.touch
    if touch is None:
        raise AssertionError("a doubtful click is a touch")
    until = now + parts.settings.held_clicks
    await parts.database.transact(lambda tx: hold(tx, item, contact_id, touch, recorded_at=now, until=until))


async def _record(parts: Parts, batch: Sequence[Incoming]) -> None:
    if not batch:
        return
    for result in await _each(parts, batch):
        if isinstance(result, Exception) and not isinstance(result, UnknownContact):
            raise result


async def _each(parts: Parts, batch: Sequence[Incoming]) -> Sequence[object]:
    if len(batch) > 1:
        return await parts.recorder.record_each(batch)
    try:
        return await record(parts, batch)
    except UnknownContact as gone:
        return [gone]


def _incoming(parts: Parts, told: Told, known: Known, judged: Judgement) -> Incoming:
    return Incoming(
        kind="mail",
        name=CLICKED if told.what == "click" else OPENED,
        message_id=told.key or _once_a_minute(parts, told, judged.verdict),
        at=told.at or parts.clock.now(),
        properties=_properties(known.template, told.message, told.url, judged.verdict is Verdict.MACHINE),
        contact_id=known.contact_id,
        touch=TouchMade(
            message=told.message,
            template=known.template,
            what=told.what,
            url=told.url,
            place=told.place or None,
            verdict=judged.verdict.value,
            why=judged.why,
            source=told.source,
        ),
    )


def _settled(row: AnyRow, *, is_machines: bool) -> Incoming:
    verdict = Verdict.MACHINE if is_machines else Verdict.PERSON
    return Incoming(
        kind="mail",
        name=CLICKED if row.what == "click" else OPENED,
        message_id=row.key,
        at=row.at,
        properties=_properties(row.template, row.message, row.url, is_machines),
        contact_id=row.contact_id,
        touch=TouchMade(
            message=row.message,
            template=row.template,
            what=row.what,
            url=row.url,
            place=row.place,
            verdict=verdict.value,
            why=WALKED if is_machines else row.why,
            source=row.source,
            settled=True,
        ),
    )


def _properties(template: str, message: str, url: str | None, is_machines: bool) -> Mapping[str, JsonValue]:
    properties: dict[str, JsonValue] = {"template": template, "message": message}
    if url is not None:
        properties["url"] = url
    if is_machines:
        properties["machine"] = True
    return properties


def _once_a_minute(parts: Parts, told: Told, verdict: Verdict) -> str:
    """Mail programs fetch pixels over and over; and nobody may fill a database with one link. What a program does
    stands in nobody's way.
    """
    minute = int(parts.clock.wall().timestamp() // 60)
    what = hashlib.sha256(f"{told.what}\n{told.url}\n{told.place}\n{verdict.value}".encode()).hexdigest()[:16]
    return f"mail/{told.message}/{what}/{minute}"
