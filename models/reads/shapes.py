"""What every shape the API shows has, and the cursors it pages by."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from tabiji.errors import InvalidEvent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_OURS = "is not a cursor this API gave out; take it from the page before"


class Shown(BaseModel):
    """Something the API shows."""

    model_config = ConfigDict(frozen=True)


def cursor(*parts: str | int) -> str:
    """A place in a list, for the caller to hand back and not to read."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def parts_of(cursor: str, field: str, *kinds: type) -> list[Any]:
    """What a cursor was made of.

    Raises:
        InvalidEvent: It was not made here; `field` is the parameter it came in.
    """
    try:
        parts: Any = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeError, ValueError, RecursionError):
        parts = None
    if (
        not isinstance(parts, list)
        or [type(part) for part in parts] != list(kinds)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] # JSON
        or any(isinstance(part, str) and not part.isprintable() for part in parts)  # pyright: ignore[reportUnknownVariableType] # JSON
        or any(isinstance(part, int) and abs(part) >= 2**63 for part in parts)  # pyright: ignore[reportUnknownVariableType] # JSON
    ):
        raise InvalidEvent(field, _NOT_OURS)
    return list(parts)  # pyright: ignore[reportUnknownArgumentType] # JSON


def micros_of(at: datetime) -> int:
    """An instant as a number that loses nothing."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(micros: int, field: str) -> datetime:
    """The instant behind a number.

    Raises:
        InvalidEvent: It lies outside the calendar.
    """
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise InvalidEvent(field, _NOT_OURS) from None
