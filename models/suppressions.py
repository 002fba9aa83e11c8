"""Which addresses and domains are not written to: entries begin, end by themselves or are lifted, and stay as history.

await suppress(tx, [Entry(value=…, reason="manual", …)], at=now)
await in_force(tx, addresses)        what keeps each address from being written to: one statement
await lift(tx, value, …)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.database import AnyRow, database_time, insert, table
from models.suppression import Suppression
from tabiji.domain.sending.standing import Suppressed
from tabiji.errors import InvalidChange

HARD_BOUNCE, COMPLAINT, SOFT_BOUNCES, MANUAL, DOMAIN = "hard_bounce", "complaint", "soft_bounces", "manual", "domain"
REASONS = (HARD_BOUNCE, COMPLAINT, SOFT_BOUNCES, MANUAL, DOMAIN)
STOPS_EVERYTHING = frozenset({HARD_BOUNCE, SOFT_BOUNCES, MANUAL, DOMAIN})
"""Reasons that stop transactional mail, too. Who complained of marketing still gets what they have bought."""
GROUP = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is to be written down.

    Attributes:
        value: An address, or a domain, as `normalized` gives it.
        transactional: Whether it stops what needs no consent. None: as the reason says.
        since: Journey time; now where not given.
    """

    value: str
    reason: str
    source: str
    transactional: bool | None = None
    evidence: str | None = None
    message: str | None = None
    by: str | None = None
    note: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def normalized(text: str) -> str:
    """An address as contacts have it, or a domain, in lower case and without punycode.

    Raises:
        InvalidChange: It is neither.
    """
    value = text.strip().lower().rstrip(".")
    try:
        if "@" not in value.lstrip("@"):
            domain = value.lstrip("@").removeprefix("*.")
            checked = validate_email(f"x@{domain}", check_deliverability=False, test_environment=True)
            return checked.normalized.lower().rpartition("@")[2]
        return validate_email(value, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        raise InvalidChange("suppression", "must be an e-mail address, or a domain such as example.com") from None


def as_contacts_have_it(address: str) -> str:
    """The same for an address that was mailed already: what has no such form is taken as it stands."""
    try:
        return normalized(address)
    except InvalidChange:
        return address.strip().lower()


async def suppress(tx: AsyncConnection, entries: Sequence[Entry], *, at: datetime) -> int:
    """Write entries down. Who is on the list for the same reason already stays as they are.

    Returns:
        How many are new.
    """
    now = await database_time(tx)
    new = 0
    for group in _groups(list({(entry.value, entry.reason): entry for entry in entries}.values())):
        await _end_what_is_over(tx, {entry.value for entry in group}, at=at)
        rows = [_row(entry, at=at, now=now) for entry in group]
        statement = insert(tx, Suppression).values(rows).on_conflict_do_nothing()
        new += len((await tx.execute(statement.returning(table(Suppression).c.id))).all())
    return new


async def lift(
    tx: AsyncConnection, value: str, *, by: str | None, reason: str | None = None, at: datetime | None = None
) -> int:
    """Take an address or a domain off the list, for one reason or for all. Returns how many entries ended."""
    rows = table(Suppression)
    ending = update(rows).where(rows.c.value == value, rows.c.lifted_at.is_(None))
    if reason is not None:
        ending = ending.where(rows.c.reason == reason)
    if at is not None:
        ending = ending.where(or_(rows.c.until.is_(None), rows.c.until > at))
    done = await tx.execute(ending.values(lifted_at=await database_time(tx), lifted_by=by))
    return done.rowcount


async def in_force(tx: AsyncConnection, addresses: Collection[str]) -> dict[str, tuple[Suppressed, ...]]:
    """What keeps each of these addresses from being written to. One statement, however many they are.

    An entry whose time is over is among them; whoever decides compares its end with the moment the mail is for.
    """
    by_value: dict[str, list[str]] = {}
    for address in addresses:
        for value in _covering(address.lower()):
            by_value.setdefault(value, []).append(address)
    rows = table(Suppression)
    columns = select(rows.c.value, rows.c.reason, rows.c.transactional, rows.c.until)
    found: dict[str, tuple[Suppressed, ...]] = {}
    if by_value:
        for row in await tx.execute(columns.where(rows.c.value.in_(by_value), rows.c.lifted_at.is_(None))):
            entry = Suppressed(row.reason, transactional=row.transactional, until=row.until)
            for address in by_value[row.value]:
                found[address] = (*found.get(address, ()), entry)
    return found


def _covering(address: str) -> Iterator[str]:
    """The address, its domain, and the domains above that."""
    yield address
    labels = address.rpartition("@")[2].split(".")
    for start in range(len(labels) - 1):
        yield ".".join(labels[start:])


async def _end_what_is_over(tx: AsyncConnection, values: Iterable[str], *, at: datetime) -> None:
    rows = table(Suppression)
    over = and_(rows.c.value.in_(list(values)), rows.c.lifted_at.is_(None), rows.c.until <= at)
    await tx.execute(update(rows).where(over).values(lifted_at=rows.c.until, lifted_by="time"))


def _row(entry: Entry, *, at: datetime, now: datetime) -> dict[str, Any]:
    stops = entry.reason in STOPS_EVERYTHING if entry.transactional is None else entry.transactional
    return asdict(entry) | {
        "id": new_id(),
        "value": entry.value[:254],
        "transactional": stops,
        "since": entry.since or at,
        "recorded_at": now,
    }


def _groups(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), GROUP):
        yield entries[start : start + GROUP]


async def history(tx: AsyncConnection, value: str) -> Sequence[AnyRow]:
    """Every entry of an address or a domain, the latest first, also those that are over."""
    rows = table(Suppression)
    return (await tx.execute(select(rows).where(rows.c.value == value).order_by(rows.c.id.desc()))).all()
