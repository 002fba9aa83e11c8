"""The breaker: stops by itself what no author can have meant. It is on without anybody's saying so.

effects    of one journey on one person within an hour of journey time: with one more, the journey is paused
person     of all journeys on one person within that hour: with one more, the person is paused
entries    of people whom events and API calls let into one journey within a minute: with one more, it is paused

Effects are counted under the person's lock, in the transaction that is to carry out the next, from what the ones
before have left: messages that were begun, and orders that were carried out. So the bound is exact for mails, and
survives whatever is restarted. An effect beyond it is not carried out: it meets the pause. Entries are counted from
the enrollments, after they were written: those who come with the last stand before their first effect.

Not counted as entries: dates, schedules and people let in late, which come at a stated rate; and who comes from
another journey, whose loops are found by the effects.

A pause made here is ended by people alone, and counting begins anew where it began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.alarm import Alarm
from models.bulk import encoded
from models.database import database_time, insert, table
from models.driver import fetch
from models.effect import Effect
from models.pause import Pause, Scope
from models.pauses import in_force, put
from tabiji.settings import Settings

log = structlog.stdlib.get_logger(__name__)

BREAKER = "breaker"
"""By whom its pauses are."""
_CHEAP = 1000
"""So many entries are counted in a tenth of a millisecond. Where the bound is higher, not each time."""
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True)
class Bounds:
    """How much is too much; 0: nothing is."""

    effects: int = 20
    person: int = 60
    entries: int = 1000

    @classmethod
    def of(cls, settings: Settings) -> Bounds:
        """As the settings say."""
        return cls(settings.breaker_effects, settings.breaker_person, settings.breaker_entries)


_bounds = [Bounds()]


def arm(bounds: Bounds) -> None:
    """Set the bounds of this process. Once, at the edge; without it the defaults hold."""
    _bounds[0] = bounds


@dataclass(frozen=True, slots=True)
class Asked:
    """An effect that is to be carried out now, on a contact whose lock is held."""

    contact_id: UUID
    journey: str
    key: str
    at: datetime
    test: bool = False


async def watch_effect(tx: AsyncConnection, asked: Asked) -> None:
    """Pause the journey, or the person, where this effect is one too many. A rehearsal pauses nobody else."""
    bounds = _bounds[0]
    if not bounds.effects and not bounds.person:
        return
    lately = await _effects(tx, asked, asked.at - HOUR)
    person = str(asked.contact_id)
    if bounds.effects and lately.mine >= bounds.effects:
        scope, target = (Scope.CONTACT, person) if asked.test else (Scope.JOURNEY, asked.journey)
        if (await _effects(tx, asked, await _begins(tx, scope, target, asked.at - HOUR))).mine >= bounds.effects:
            why = f"{asked.journey}: more than {bounds.effects} effects on contact {person} within an hour"
            await _trip(tx, scope, target, asked.at, why)
    if bounds.person and lately.together >= bounds.person:
        begins = await _begins(tx, Scope.CONTACT, person, asked.at - HOUR)
        if (await _effects(tx, asked, begins)).together >= bounds.person:
            why = f"more than {bounds.person} effects of all journeys within an hour, the last of {asked.journey}"
            await _trip(tx, Scope.CONTACT, person, asked.at, why)


async def watch_entries(tx: AsyncConnection, journey: str, at: datetime) -> None:
    """Pause a journey into which events and the API let too many people. Asked after the last were let in."""
    bound = _bounds[0].entries
    if not bound or at.microsecond % max(bound // _CHEAP, 1) or not await _too_many(tx, journey, at - MINUTE, bound):
        return
    if await _too_many(tx, journey, await _begins(tx, Scope.JOURNEY, journey, at - MINUTE), bound):
        await _trip(tx, Scope.JOURNEY, journey, at, f"{journey}: more than {bound} people entered within a minute")


class _Lately(NamedTuple):
    """Effects on one person: of all journeys, and of one."""

    together: int
    mine: int


_SQLITE = """
SELECT count(*), coalesce(sum(substr(key, 1, length(?1)) = ?1), 0) FROM (
  SELECT key FROM message WHERE contact_id = ?2 AND at > ?3 AND state NOT IN ('deferred', 'refused', 'dropped')
  UNION SELECT key FROM effect WHERE contact_id = ?2 AND at > ?3
) WHERE key <> ?4
"""
_POSTGRESQL = """
SELECT count(*), count(*) FILTER (WHERE starts_with(key, $1::text)) FROM (
  SELECT key FROM message WHERE contact_id = $2::uuid AND at > $3::timestamptz
    AND state NOT IN ('deferred', 'refused', 'dropped')
  UNION SELECT key FROM effect WHERE contact_id = $2::uuid AND at > $3::timestamptz
) AS lately WHERE key <> $4::text
"""


async def _effects(tx: AsyncConnection, asked: Asked, since: datetime) -> _Lately:
    """Without the effect itself in an earlier attempt."""
    values = [f"{asked.journey}/", *_as_kept(tx, asked.contact_id, since), asked.key]
    [counted] = await fetch(tx, _POSTGRESQL if tx.dialect.name == "postgresql" else _SQLITE, values)
    return _Lately(*counted)


def _as_kept(tx: AsyncConnection, contact_id: UUID, since: datetime) -> list[Any]:
    """As the driver takes them."""
    if tx.dialect.name == "postgresql":
        return [contact_id, since]
    columns = table(Effect).c
    return [encoded("sqlite", columns.contact_id, [contact_id])[0], encoded("sqlite", columns.at, [since])[0]]


_MORE = (
    "SELECT 1 FROM enrollment WHERE journey = {} AND entered_at > {} AND cause IS NULL AND test = {} LIMIT 1 OFFSET {}"
)
_MORE_SQLITE = _MORE.format("?1", "?2", "0", "?3")
_MORE_POSTGRESQL = _MORE.format("$1::text", "$2::timestamptz", "false", "$3::bigint")


async def _too_many(tx: AsyncConnection, journey: str, since: datetime, bound: int) -> bool:
    if tx.dialect.name == "postgresql":
        return bool(await fetch(tx, _MORE_POSTGRESQL, [journey, since, bound]))
    return bool(await fetch(tx, _MORE_SQLITE, [journey, *encoded("sqlite", table(Effect).c.at, [since]), bound]))


async def _begins(tx: AsyncConnection, scope: Scope, target: str, since: datetime) -> datetime:
    """From when on to count. What was before it was paused here last is known to people, and counts no more."""
    pauses = table(Pause)
    mine = (pauses.c.scope == scope.value) & (pauses.c.target == target) & (pauses.c.by == BREAKER)
    paused: datetime | None = await tx.scalar(select(func.max(pauses.c.since)).where(mine))
    return since if paused is None else max(since, paused)


class _At:
    """Two clocks that stand still."""

    def __init__(self, at: datetime, wall: datetime) -> None:
        self._at, self._wall = at, wall

    def now(self) -> datetime:
        return self._at

    def wall(self) -> datetime:
        return self._wall


async def _trip(tx: AsyncConnection, scope: Scope, target: str, at: datetime, why: str) -> None:
    now = await database_time(tx)
    if not await put(tx, _At(at, now), scope, [target], by=BREAKER, reason=f"{BREAKER}: {why}"):
        return
    row = {"pause_id": await in_force(tx, scope, target), "recorded_at": now}
    await tx.execute(insert(tx, Alarm).values(**row).on_conflict_do_nothing())
    log.error("breaker.tripped", scope=scope.value, target=target, why=why)
