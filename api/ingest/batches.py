"""Batches: what is good of one is stored, and the answer names the rest, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from api.errors import FieldProblem, InvalidInput, translate
from api.ingest.calls import KINDS, Call
from api.ingest.checks import MOST_TOLD, Problems
from api.ingest.events import Arrival, incoming
from api.ingest.reading import Item, Unreadable
from api.keys import Action, action_for_event, may
from api.parts import Parts
from api.recording import record_each
from models.incoming import Incoming
from models.keys import Key
from models.rejection import Refused


class Rejected(msgspec.Struct):
    """An item of a batch that was not stored, and why."""

    index: int
    messageId: str | None
    errors: list[dict[str, str]]


class Answered(msgspec.Struct):
    """What became of a batch."""

    success: bool
    accepted: int
    rejected: list[Rejected]


class Asked(NamedTuple):
    """Who sends a batch, what they may do, and what all its items have in common."""

    parts: Parts
    key: Key
    arrival: Arrival
    address: str


async def take(asked: Asked, items: Sequence[Item]) -> bytes:
    """Store what is good of a batch. Returns the answer.

    Raises:
        ApiProblem: Nothing was good, or too much comes.
        DatabaseDown: Nothing is known to be stored.
    """
    if not items:
        raise InvalidInput(FieldProblem(field="batch", problem="must hold at least one call"))
    await asked.parts.limits.admit(asked.key, len(items), asked.address)
    rejected: list[Rejected] = []
    good = _good(asked, items, rejected)
    stored = await record_each(asked.parts, [found for _, found in good], lane=asked.key.name)
    for (index, _), result in zip(good, stored, strict=True):
        if isinstance(result, Exception):
            rejected.append(_rejected(index, items[index], _told(result)))
    if len(rejected) == len(items):
        raise _nothing(rejected)
    rejected.sort(key=lambda one: one.index)
    for one in rejected[:MOST_TOLD]:
        for error in one.errors[:1]:
            field = f"batch.{one.index}.{error['field']}"
            asked.parts.rejections.note(Refused("batch", 422, error["problem"], field, asked.key.name))
    return msgspec.json.encode(Answered(True, len(items) - len(rejected), rejected))


def wanted(found: Incoming) -> Sequence[tuple[Action, str, str]]:
    """What an item needs beyond its kind: the right, what for, and in which field it is asked."""
    needs: list[tuple[Action, str, str]] = []
    if (action := action_for_event(found.name)) is not Action.TRACK:
        # Who may send such an event may start whatever starts on a tag, a score or an answer.
        needs.append((action, f"the event {found.name!r}, which tabiji records itself,", "event"))
    if found.tempo is not None:
        needs.append((Action.ADMIN, "context.tabiji.tempo", "context.tabiji.tempo"))
    return needs


def _good(asked: Asked, items: Sequence[Item], rejected: list[Rejected]) -> list[tuple[int, Incoming]]:
    """The items that may be stored, with their places."""
    good: list[tuple[int, Incoming]] = []
    for index, item in enumerate(items):
        if isinstance(item, Unreadable):
            rejected.append(_rejected(index, item, item.problems))
            continue
        problems = Problems()
        found = _checked(asked, item, problems)
        if found is None:
            rejected.append(_rejected(index, item, problems.found))
        else:
            good.append((index, found))
    return good


def _checked(asked: Asked, call: Call, problems: Problems) -> Incoming | None:
    kind = call.type or ""
    if kind not in KINDS:
        problems.add("type", f"must be one of {', '.join(KINDS)}")
        return None
    if not may(asked.key, Action(kind)):
        problems.add("type", f"{kind!r} is not for a key of scope {asked.key.scope!r}")
        return None
    found = incoming(kind, call, asked.arrival, problems)
    for action, what, field in wanted(found) if found is not None else ():
        if not may(asked.key, action):
            scope = "admin" if action is Action.ADMIN else "write"
            problems.add(field, f"{what} needs a key of scope {scope!r}")
            return None
    return found


def _rejected(index: int, item: Item, problems: Sequence[FieldProblem]) -> Rejected:
    message_id = item.message_id if isinstance(item, Unreadable) else item.messageId
    return Rejected(index, message_id, [{"field": one.field, "problem": one.problem} for one in problems])


def _told(error: Exception) -> list[FieldProblem]:
    """Why one item alone could not be stored."""
    problem = translate(error)
    if problem.status_code >= 500:
        raise error
    return problem.errors or [FieldProblem(field="body", problem=str(problem.detail))]


def _nothing(rejected: Sequence[Rejected]) -> InvalidInput:
    """Nothing of a batch was good."""
    problems = [
        FieldProblem(field=f"batch.{one.index}.{error['field']}", problem=error["problem"])
        for one in rejected
        for error in one.errors
    ]
    return InvalidInput(*problems[:MOST_TOLD])
