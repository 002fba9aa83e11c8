"""The changes a contact can see, each told as an event where it changes something.

All run inside `Recorder.change`, under the contact's lock. They raise `InvalidChange` for names and values that
cannot be kept, and return whether anything has changed.
"""

from __future__ import annotations

import math

from pydantic import JsonValue
from sqlalchemy import delete

from models.change import Change
from models.contact import ContactTag
from models.database import insert, table
from models.profiles import note_edit, same, tell_attribute
from models.roster import ContactList, ListMember, StageEntry
from models.score import ScoreEntry
from tabiji.domain import attributes
from tabiji.domain.facts import Fact
from tabiji.errors import InvalidChange


async def add_tag(change: Change, tag: str) -> bool:
    """Put a tag on; one that is there already stays as it is."""
    _check_name("tag", tag)
    row = {"contact_id": change.contact.id, "tag": tag, "at": change.at, "recorded_at": change.recorded_at}
    written = await change.tx.execute(insert(change.tx, ContactTag).values(**row).on_conflict_do_nothing())
    if written.rowcount > 0:
        change.tell(Fact.TAG_ADDED, {"tag": tag})
    return written.rowcount > 0


async def remove_tag(change: Change, tag: str) -> bool:
    """Take a tag off."""
    tags = table(ContactTag)
    mine = (tags.c.contact_id == change.contact.id) & (tags.c.tag == tag)
    gone = (await change.tx.execute(delete(tags).where(mine))).rowcount > 0
    if gone:
        change.tell(Fact.TAG_REMOVED, {"tag": tag})
    return gone


async def join_list(change: Change, name: str) -> bool:
    """Put the contact on a list, and make the list where there is none of that name."""
    _check_name("list", name)
    made = insert(change.tx, ContactList).values(name=name, recorded_at=change.recorded_at)
    await change.tx.execute(made.on_conflict_do_nothing())
    row = {"contact_id": change.contact.id, "list": name, "at": change.at, "recorded_at": change.recorded_at}
    written = await change.tx.execute(insert(change.tx, ListMember).values(**row).on_conflict_do_nothing())
    if written.rowcount > 0:
        change.tell(Fact.LIST_JOINED, {"list": name})
    return written.rowcount > 0


async def leave_list(change: Change, name: str) -> bool:
    """Take the contact off a list."""
    members = table(ListMember)
    mine = (members.c.contact_id == change.contact.id) & (members.c.list == name)
    gone = (await change.tx.execute(delete(members).where(mine))).rowcount > 0
    if gone:
        change.tell(Fact.LIST_LEFT, {"list": name})
    return gone


async def set_attribute(change: Change, name: str, value: JsonValue) -> bool:
    """Write an attribute. `timezone` and `locale` are checked and have columns of their own; null removes it."""
    _check_attribute(name, value)
    before = known(change, name)
    if same(before, value):
        return False
    if name in attributes.PROFILE:
        await change.write(**{name: value})
    else:
        rest = {key: kept for key, kept in change.contact.attributes.items() if key != name}
        await _write(change, name, rest if value is None else {**rest, name: value})
    await note_edit(change, name, value)
    tell_attribute(change, name, before, value)
    return True


async def add_to_attribute(change: Change, name: str, amount: float) -> int | float:
    """Add to a number; none counts as 0. Returns the number it is now."""
    if not math.isfinite(amount):
        raise InvalidChange(f"attribute {name!r}", "what is added must be a finite number")
    total = attributes.added(known(change, name), amount)
    if total is None:
        raise InvalidChange(f"attribute {name!r}", "is no number, so nothing can be added to it")
    await set_attribute(change, name, total)
    return total


async def set_stage(change: Change, stage: str) -> bool:
    """Move the contact to a stage of life, and keep when."""
    _check_name("stage", stage)
    before: str | None = change.contact.stage
    if before == stage:
        return False
    await change.write(stage=stage)
    entry = {"contact_id": change.contact.id, "before": before, "stage": stage}
    await change.tx.execute(insert(change.tx, StageEntry).values(**entry, at=change.at, recorded_at=change.recorded_at))
    change.tell(Fact.STAGE_CHANGED, {"before": before, "after": stage})
    return True


async def add_points(change: Change, points: int, reason: str, *, key: str) -> int:
    """Add to the score, or subtract. Returns the score it is now."""
    before: int = change.contact.score
    total = before + points
    if abs(total) > attributes.LARGEST_SCORE:
        raise InvalidChange("score", f"may lie between ±{attributes.LARGEST_SCORE}")
    entry = {"key": key, "contact_id": change.contact.id, "points": points, "reason": reason[:500], "total": total}
    await change.tx.execute(insert(change.tx, ScoreEntry).values(**entry, at=change.at, recorded_at=change.recorded_at))
    await change.write(score=total)
    if points:
        told: dict[str, JsonValue] = {"before": before, "after": total, "points": points, "reason": reason[:500]}
        change.tell(Fact.SCORE_CHANGED, told)
    return total


def known(change: Change, name: str) -> JsonValue:
    """What an attribute is now, None where there is none."""
    value: JsonValue = (
        getattr(change.contact, name) if name in attributes.PROFILE else change.contact.attributes.get(name)
    )
    return value


async def _write(change: Change, name: str, values: dict[str, JsonValue]) -> None:
    # One less is always allowed: it is the way back from too many.
    if name in values and (problem := attributes.problem_with_all(values)) is not None:
        raise InvalidChange(f"attribute {name!r}", problem)
    await change.write(attributes=values)


def _check_name(what: str, name: str) -> None:
    if (problem := attributes.problem_with_name(name)) is not None:
        raise InvalidChange(f"{what} {name[: attributes.LONGEST_NAME]!r}", problem)


def _check_attribute(name: str, value: JsonValue) -> None:
    if name in attributes.IDENTITIES:
        raise InvalidChange(f"attribute {name!r}", "says who somebody is; POST /v1/identify changes that")
    problem = attributes.problem_with_name(name) if value is None else attributes.problem_with(name, value)
    if problem is not None:
        raise InvalidChange(f"attribute {name[: attributes.LONGEST_NAME]!r}", problem)
