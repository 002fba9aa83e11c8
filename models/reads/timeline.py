"""A contact's history: what they did and what was done, newest first, in the order it was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import BigInteger, Integer, Row, String, Table, cast, literal, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from models.approval import Approval
from models.contact import Consent
from models.database import table
from models.enrollment import Enrollment
from models.event import Event
from models.exposure import Exposure
from models.message import Message
from models.reads.shapes import Shown, cursor, micros_of, moment, parts_of
from models.task import Task
from tabiji.domain.facts import KIND
from tabiji.domain.orders import Passed


class _Entry(Shown):
    at: datetime = Field(description="journey time: when it happened to the contact")
    recorded_at: datetime = Field(description="when the database took it down")


class EventEntry(_Entry):
    """Something the contact did."""

    kind: Literal["event"] = "event"
    seq: int
    name: str
    properties: dict[str, Any]
    enrollment_id: str | None = Field(description="set when only this enrollment was to hear of it")


class MessageEntry(_Entry):
    """A message, with its fate so far and the reason for it."""

    kind: Literal["message"] = "message"
    id: str
    template: str
    subject: str | None
    audience: str = Field(description="contact; sales or team for notices about the contact")
    state: str
    reason: str | None
    enrollment_id: str | None = Field(description="of the journey that sent it")
    broadcast_id: UUID | None = Field(description="of the broadcast it is of")
    step: str
    not_before: datetime | None
    sent_at: datetime | None


class ChangeEntry(_Entry):
    """Something that is known of the contact was changed, or done about them: points, a tag, a list, an attribute."""

    kind: Literal["change"] = "change"
    seq: int
    name: str = Field(examples=["Tag Added", "Score Changed", "Attribute Changed"])
    properties: dict[str, Any]
    enrollment_id: str | None = Field(description="set when only this enrollment was to hear of it")


class TaskEntry(_Entry):
    """Somebody was given something to do; its state is of now."""

    kind: Literal["task"] = "task"
    id: UUID
    title: str
    who: str
    due: datetime | None
    state: str
    done_by: str | None
    enrollment_id: str


class ApprovalEntry(_Entry):
    """Somebody was asked; the answer is of now."""

    kind: Literal["approval"] = "approval"
    id: UUID
    question: str
    who: str
    until: datetime
    state: str
    answered_by: str | None
    enrollment_id: str


class ExposureEntry(_Entry):
    """The contact came into one arm of an experiment."""

    kind: Literal["exposure"] = "exposure"
    experiment: str
    arm: str
    enrollment_id: str | None = Field(description="of the journey they came to it by")
    broadcast_id: UUID | None = Field(description="of the broadcast they came to it by")


class Consented(_Entry):
    """A decision about a topic, with its proof."""

    kind: Literal["consent"] = "consent"
    topic: str
    given: bool
    source: str
    wording: str | None


class EnrollmentEntry(_Entry):
    """The contact entered a journey; its state and path are of now."""

    kind: Literal["enrollment"] = "enrollment"
    id: str
    journey: str
    state: str
    reason: str | None
    ended_at: datetime | None
    path: list[Passed]


Entry = Annotated[
    EventEntry | ChangeEntry | MessageEntry | TaskEntry | ApprovalEntry | ExposureEntry | Consented | EnrollmentEntry,
    Field(discriminator="kind"),
]

# What is told, and the column that names a row of it. Where rows were recorded in the same moment, the later kind
# in this list counts as the later one.
_KINDS: tuple[tuple[type[SQLModel], type[_Entry], str, str], ...] = (
    (Consent, Consented, "id", "at"),
    (Event, EventEntry, "seq", "at"),
    (Enrollment, EnrollmentEntry, "id", "entered_at"),
    (Exposure, ExposureEntry, "id", "at"),
    (Task, TaskEntry, "key", "at"),
    (Approval, ApprovalEntry, "key", "at"),
    (Message, MessageEntry, "key", "at"),
)


async def timeline(
    tx: AsyncConnection, contact_id: UUID, *, before: str | None = None, limit: int = 50
) -> tuple[list[Entry], str | None]:
    """A page of a contact's history, and the cursor of the page before it in time.

    Raises:
        InvalidEvent: `before` is not a cursor from here.
    """
    whole = union_all(*(_keys(place, contact_id) for place in range(len(_KINDS)))).subquery()
    order = (whole.c.recorded_at, whole.c.kind, whole.c.number, whole.c.word)
    query = select(whole).order_by(*(column.desc() for column in order)).limit(limit + 1)
    if before is not None:
        micros, kind, number, word = parts_of(before, "before", int, int, int, str)
        last = (
            literal(moment(micros, "before"), UTCDateTime()),
            literal(kind, BigInteger()),
            literal(number, BigInteger()),
            literal(word, String()),
        )
        query = query.where(tuple_(*order) < tuple_(*last))
    rows = (await tx.execute(query)).all()
    page = rows[:limit]
    more = None
    if len(rows) > limit:
        oldest = page[-1]
        more = cursor(micros_of(oldest.recorded_at), oldest.kind, oldest.number, oldest.word)
    return await _told(tx, contact_id, page), more


def _keys(place: int, contact_id: UUID) -> Any:
    model, _, name, _ = _KINDS[place]
    rows = table(model)
    numbered = isinstance(rows.c[name].type, Integer)
    return select(
        rows.c.recorded_at,
        literal(place, BigInteger()).label("kind"),
        (rows.c[name] if numbered else literal(0, BigInteger())).label("number"),
        (literal("", String()) if numbered else cast(rows.c[name], String())).label("word"),
    ).where(rows.c.contact_id == contact_id)


async def _told(tx: AsyncConnection, contact_id: UUID, page: Sequence[Row[Any]]) -> list[Entry]:
    found: dict[tuple[int, Any], Entry] = {}
    for place, (model, shape, name, at) in enumerate(_KINDS):
        keys = [row.word or row.number for row in page if row.kind == place]
        if keys:
            rows: Table = table(model)
            query = select(rows).where(rows.c.contact_id == contact_id, rows.c[name].in_(keys))
            for row in (await tx.execute(query)).mappings():
                values = {**row, "at": row[at]}
                kind = values.pop("kind", None)
                if model is Message:
                    values["id"] = row["public_id"]
                if kind == KIND:
                    found[place, row[name]] = ChangeEntry.model_validate(values)
                    continue
                found[place, row[name]] = shape.model_validate(values)  # type: ignore[assignment] # one of Entry
    return [found[row.kind, row.word or row.number] for row in page]
