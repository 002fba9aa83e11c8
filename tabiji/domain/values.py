"""JSON values as conditions see them: found at a path, equal, ordered, and what Python values come to in JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias, cast

from pydantic import JsonValue

Properties: TypeAlias = Mapping[str, JsonValue]
Plain: TypeAlias = JsonValue | Decimal | Enum
"""What a property can equal."""
Ordered: TypeAlias = int | float | str | Decimal | date
"""What a property can be more or less than. A date is the beginning of that day in UTC."""

_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.{0,24})?")
ABSENT: Final = object()
"""What stands for a property that is not there. It equals no JSON value."""


def look_up(properties: Properties, path: str) -> object:
    """What stands at a dotted path, or a mark that is equal to no JSON value."""
    if path in properties:
        return properties[path]
    at: object = properties
    for name in path.split("."):
        if isinstance(at, Mapping):
            at = cast("Mapping[str, object]", at).get(name, ABSENT)
        elif isinstance(at, list) and name.isascii() and name.isdigit() and len(name) < 6:
            within = cast("list[object]", at)
            at = within[int(name)] if int(name) < len(within) else ABSENT
        else:
            return ABSENT
    return at


def plain(value: object, path: str) -> JsonValue:
    """A declared value as JSON has it.

    Raises:
        TypeError: JSON has nothing like it. Names the property.
    """
    match value:
        case Enum():
            return plain(value.value, path)
        case None | bool() | int() | str():
            return value
        case Decimal() | float() if math.isfinite(value):
            return int(value) if isinstance(value, Decimal) and value == value.to_integral() else float(value)
        case list() | tuple():
            return [plain(element, path) for element in cast("list[object]", value)]
        case dict():
            return {str(name): plain(part, path) for name, part in cast("dict[object, object]", value).items()}
        case date():
            raise TypeError(f"{path!r} is compared with a date for equality. Say prop({path!r}) >= … and < ….")
        case _:
            raise TypeError(f"{path!r} is compared with {value!r}, which no JSON value can equal.")


def ordered(value: object, path: str) -> int | float | str:
    """What a declared value to compare with comes to: numbers, texts, and moments in ISO 8601."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError(f"{path!r} is compared with {value}, which has no time zone. Say datetime(…, tzinfo=UTC).")
        return value.isoformat()
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC).isoformat()
    known = plain(value, path)
    if isinstance(known, bool) or not isinstance(known, int | float | str):
        raise TypeError(f"{path!r} is compared with {value!r}: only numbers, texts and dates are more or less.")
    return known


def same(found: object, wanted: JsonValue) -> bool:
    """Equal as JSON: 1 is 1.0 and is not True, at any depth."""
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(found, list) and isinstance(wanted, list):
        ours = cast("list[object]", found)
        return len(ours) == len(wanted) and all(map(same, ours, wanted))
    if isinstance(found, dict) and isinstance(wanted, dict):
        mine = cast("dict[str, object]", found)
        return mine.keys() == wanted.keys() and all(same(mine[name], wanted[name]) for name in wanted)
    return found == wanted


def order(found: object, wanted: float | str) -> int | None:
    """Less, equal or more as -1, 0, 1; None where the two cannot be ordered."""
    if isinstance(wanted, str):
        if not isinstance(found, str):
            return None
        moment = instant(wanted)
        if moment is None:
            return (found > wanted) - (found < wanted)
        ours = instant(found)
        return None if ours is None else (ours > moment) - (ours < moment)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    if isinstance(found, float) and math.isnan(found):
        return None
    return (found > wanted) - (found < wanted)


def instant(text: str) -> datetime | None:
    """The moment an ISO date or date-time names; UTC where it has no zone. None: it is another text."""
    if not _ISO.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def in_words(value: JsonValue) -> str:
    """A value for a reader."""
    return value if isinstance(value, str) and value else repr(value)
