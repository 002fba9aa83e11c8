"""Addresses and domains that are not written to: who is on the list, why, and taking them off it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.bodies import StrictRoute
from api.deps import Identifier, PartsDep, Text
from api.errors import responses
from api.keys import By, Guarded
from models.reads.suppressions import SuppressionShown, list_suppressions
from models.suppressions import DOMAIN, MANUAL, Entry, lift, normalized, suppress
from tabiji.errors import InvalidChange, InvalidEvent

router = APIRouter(
    prefix="/v1/suppressions",
    tags=["suppressions"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 422, 503),
)
_CHANGES = responses(400, 408, 413, 415)
MOST = 500
Value = Annotated[Text, Field(max_length=254, description="an address, or a domain with those below it")]
Reason = Literal["hard_bounce", "complaint", "soft_bounces", "manual", "domain"]


class SuppressionSent(BaseModel):
    """What is not to be written to."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"value": "hanako@example.com", "note": "asked us by telephone"},
                {"value": "example.com", "note": "a competitor"},
            ]
        },
    )

    value: Value
    reason: Reason | None = Field(default=None, description="manual, or domain, where it is not said")
    transactional: bool | None = Field(
        default=None, description="whether it stops what needs no consent, too; absent: yes, but for complaints"
    )
    note: Annotated[Text, Field(max_length=500)] | None = None
    since: AwareDatetime | None = Field(default=None, description="for lists from elsewhere; now, where not given")
    until: AwareDatetime | None = Field(default=None, description="when it ends by itself; absent: never")


class SuppressionsSent(BaseModel):
    """A list from elsewhere."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"entries": [{"value": "a@example.com", "reason": "hard_bounce"}]}]},
    )

    entries: Annotated[list[SuppressionSent], Field(min_length=1, max_length=MOST)]


class LiftSent(BaseModel):
    """What may be written to again."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"value": "hanako@example.com"}]}
    )

    value: Value
    reason: Reason | None = Field(default=None, description="only what is on the list for this; absent: for anything")


class SuppressionPage(BaseModel):
    """Latest first."""

    suppressions: list[SuppressionShown]
    next: str | None = Field(description="give it as `after` for the next page; null: there is none")


class Added(BaseModel):
    """How many are new. The others were on the list for the same reason already, and stay as they were."""

    added: int


class Lifted(BaseModel):
    """How many entries ended."""

    lifted: int


@router.get("", operation_id="listSuppressions")
async def listed(
    parts: PartsDep,
    *,
    value: Annotated[Text | None, Query(max_length=254)] = None,
    reason: Reason | None = None,
    over: Annotated[bool, Query(description="also what was lifted, or has ended by itself")] = False,
    after: Annotated[Identifier | None, Query(description="`next` of the page before", max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> SuppressionPage:
    """Who is not written to, and why."""
    wanted = _normalized(value, "value") if value is not None else None
    async with parts.database.read() as tx:
        page, more = await list_suppressions(
            tx, at=parts.clock.now(), value=wanted, reason=reason, over=over, after=after, limit=limit
        )
    return SuppressionPage(suppressions=page, next=more)


@router.post("", operation_id="suppress", status_code=201, responses=_CHANGES)
async def add(sent: SuppressionSent, parts: PartsDep, key: By) -> Added:
    """Write to an address, or to a domain, no more."""
    return await _add(parts, [sent], by=key.name, source="api")


@router.post("/import", operation_id="importSuppressions", responses=_CHANGES)
async def add_many(sent: SuppressionsSent, parts: PartsDep, key: By) -> Added:
    """Take over a list: all of these or none. Sending it again changes nothing."""
    return await _add(parts, sent.entries, by=key.name, source="import")


@router.post("/lift", operation_id="liftSuppression", responses=_CHANGES)
async def take_off(sent: LiftSent, parts: PartsDep, key: By) -> Lifted:
    """Allow writing to an address or a domain again. What was stays in its history."""
    value = _normalized(sent.value, "value")
    ended = await parts.database.transact(lambda tx: lift(tx, value, by=key.name, reason=sent.reason))
    return Lifted(lifted=ended)


async def _add(parts: PartsDep, sent: list[SuppressionSent], *, by: str, source: str) -> Added:
    entries = [
        _entry(one, f"entries.{n}.value" if source == "import" else "value", by, source) for n, one in enumerate(sent)
    ]
    now: datetime = parts.clock.now()
    return Added(added=await parts.database.transact(lambda tx: suppress(tx, entries, at=now)))


def _entry(sent: SuppressionSent, field: str, by: str, source: str) -> Entry:
    value = _normalized(sent.value, field)
    return Entry(
        value=value,
        reason=sent.reason or (MANUAL if "@" in value else DOMAIN),
        source=source,
        transactional=sent.transactional,
        by=by[:100],
        note=sent.note,
        since=sent.since,
        until=sent.until,
    )


def _normalized(value: str, field: str) -> str:
    try:
        return normalized(value)
    except InvalidChange as wrong:
        raise InvalidEvent(field, wrong.problem) from None
