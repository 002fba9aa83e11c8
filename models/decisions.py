"""What people once agreed to, as records have it: kept with its proof, never against what they said since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import Rows, among
from models.consents import latest_last
from models.contact import Consent
from models.database import AnyRow, table
from tabiji.domain.csv.mapping import CONSENT
from tabiji.domain.csv.people import Decision, Problem

_CONSENTS = Rows(
    Consent,
    ("contact_id", "topic", "given", "confirmed", "source", "wording", "version", "identity", "at", "recorded_at"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """One decision of a line. `at` is when it was taken, as far as the file knows; else when it was imported."""

    line: int
    contact: UUID
    identity: str
    decision: Decision
    at: datetime


async def decide(tx: AsyncConnection, said: Sequence[Said], recorded_at: datetime) -> list[Problem]:
    """Keep decisions of contacts that this transaction has locked. One that is there already is not kept twice.

    The latest counts, whenever it came in, and what is older is kept as history. A yes without a date is left out
    where the person has decided anything else; a no without a date counts from now: nobody is mailed because a date
    is missing.

    Returns:
        For each that was left out against what it says, why.
    """
    history = await _history(tx, said)
    rows: list[tuple[Any, ...]] = []
    problems: list[Problem] = []
    for one in said:
        before = history.setdefault((one.contact, one.decision.topic), [])
        reason = _reason_against(one, before)
        if reason is not None:
            if reason:
                problems.append(Problem(one.line, f"{CONSENT}{one.decision.topic}", reason))
            continue
        rows.append(_row(one, recorded_at))
        before.append((one.decision.given, one.decision.source, one.at))
        before.sort(key=lambda said: said[2])
    await _CONSENTS.write(tx, rows)
    return problems


_Before = list[tuple[bool, str, datetime]]


async def _history(tx: AsyncConnection, said: Sequence[Said]) -> dict[tuple[UUID, str], _Before]:
    consents = table(Consent)
    query = (
        select(consents.c.contact_id, consents.c.topic, consents.c.given, consents.c.source, consents.c.at)
        .where(
            among(tx, consents.c.contact_id, {one.contact for one in said}),
            consents.c.topic.in_(sorted({one.decision.topic for one in said})),
        )
        .order_by(*latest_last(consents))
    )
    found: dict[tuple[UUID, str], _Before] = {}
    row: AnyRow
    for row in await tx.execute(query):
        found.setdefault((row.contact_id, row.topic), []).append((row.given, row.source, row.at))
    return found


def _reason_against(one: Said, before: _Before) -> str | None:
    """Why a decision is not kept: empty where it changes nothing, None where it is kept."""
    if not before:
        return None
    said = one.decision
    if said.at is not None:
        return "" if (said.given, said.source, said.at) in before else None
    given, _, at = before[-1]
    if said.given == given:
        return ""
    words = f"they have decided otherwise ({at:%Y-%m-%d}), and the file does not say when this yes was; it was left out"
    return words if said.given else None


def _row(one: Said, recorded_at: datetime) -> tuple[Any, ...]:
    said = one.decision
    proof = (said.source, said.wording, said.version)
    # Who brings a file has the proof: what it says was agreed counts, also where a topic asks for a confirmation.
    return (one.contact, said.topic, said.given, True, *proof, one.identity, one.at, recorded_at)
