"""What is wrong with a call, in plain code: it runs for every event. Each problem names its field and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from api.errors import FieldProblem
from api.ingest.calls import KINDS, Call, Fields
from api.values import FASTEST, UNKNOWN_ZONES, address, locale, zone

LONGEST_ID = 256
LONGEST_NAME = 200
MOST_TOLD = 20
"""Problems of one call that are told."""
INSTANT = "must be an instant with a time zone, e.g. 2026-01-31T09:00:00Z"
WHO = "say who it was: userId, anonymousId, or an e-mail in traits.email"

_PROFILE: tuple[tuple[str, Callable[[str], str]], ...] = (("email", address), ("timezone", zone), ("locale", locale))


class Problems:
    """Collects what is wrong with one call."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[FieldProblem] = []

    def add(self, field: str, problem: str) -> None:
        """One more, as far as anybody reads them."""
        if len(self.found) < MOST_TOLD:
            self.found.append(FieldProblem(field=field, problem=problem))


def check_fields(kind: str, call: Call, problems: Problems) -> None:
    """Whether all is there that must be, and no name is empty or too long."""
    for field in KINDS[kind].required:
        if getattr(call, field) is None:
            problems.add(field, "is missing")
    text(problems, "userId", call.userId, LONGEST_ID)
    text(problems, "anonymousId", call.anonymousId, LONGEST_ID)
    text(problems, "messageId", call.messageId, LONGEST_ID)
    if kind == "track":
        text(problems, "event", call.event, LONGEST_NAME)
    elif kind in ("page", "screen"):
        text(problems, "name", call.name, LONGEST_NAME)
        text(problems, "category", call.category, LONGEST_NAME)
    elif kind == "group":
        text(problems, "groupId", call.groupId, LONGEST_ID)
    elif kind == "alias":
        text(problems, "previousId", call.previousId, LONGEST_ID)


def text(problems: Problems, field: str, value: str | None, longest: int) -> None:
    """Whether a text may be a name or an id."""
    if value is None:
        return
    if len(value) > longest:
        problems.add(field, f"has {len(value)} characters; {longest} are allowed")
    elif not value or value.isspace():
        problems.add(field, "must not be empty")


def instant(problems: Problems, field: str, value: str | None) -> datetime | None:
    """A moment with its zone, as clients send it."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        problems.add(field, INSTANT)
        return None
    if found.tzinfo is None:
        problems.add(field, INSTANT)
    elif not 2000 <= found.year <= 2100:
        problems.add(field, "must lie between the years 2000 and 2100")
    else:
        return found
    return None


def inner(problems: Problems, context: Fields, name: str) -> Fields:
    """An object inside the context; an empty one where it is not there."""
    value = context.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        problems.add(f"context.{name}", "must be an object")
        return {}
    return cast("Fields", value)


def profile(problems: Problems, traits: Mapping[str, Any], where: str) -> Fields:
    """Traits of a person; those we keep in a form of ours are brought into it. Nulls mean absent."""
    checked = {name: value for name, value in traits.items() if value is not None}
    for name, check in _PROFILE:
        value = checked.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            problems.add(f"{where}.{name}", "must be text")
            continue
        try:
            checked[name] = check(value)
        except ValueError as error:
            problems.add(f"{where}.{name}", str(error))
    return checked


def place(problems: Problems, context: Fields) -> Fields:
    """The time zone and language a context names. A browser that does not know its zone has said nothing."""
    said: Fields = {}
    for name, check in _PROFILE[1:]:
        value = context.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            problems.add(f"context.{name}", "must be text")
            continue
        if value in UNKNOWN_ZONES and name == "timezone":
            continue
        try:
            said[name] = check(value)
        except ValueError as error:
            problems.add(f"context.{name}", str(error))
    return said


def tempo(problems: Problems, ours: Fields) -> float | None:
    """How much faster the journeys of a test contact run."""
    value = ours.get("tempo")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= FASTEST:
        problems.add("context.tabiji.tempo", f"must be a number above 0, at most {FASTEST}")
        return None
    return float(value)
