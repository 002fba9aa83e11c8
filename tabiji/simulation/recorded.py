"""Recorded events in a file, as the Segment specification writes them: one JSON object a line.

{"userId": "u1", "event": "Order Completed", "properties": {"total": 10}, "timestamp": "2027-01-03T10:00:00Z"}
{"userId": "u1", "traits": {"plan": "pro"}, "timestamp": "2027-01-02T10:00:00Z"}
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from tabiji.errors import ConfigurationError


@dataclass(frozen=True)
class RecordedEvent:
    """One thing somebody did, or what became known of them."""

    contact: str
    at: datetime
    event: str | None
    properties: dict[str, JsonValue]
    traits: dict[str, JsonValue]


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore")

    user_id: str | None = Field(default=None, alias="userId")
    anonymous_id: str | None = Field(default=None, alias="anonymousId")
    type: str | None = None
    event: str | None = None
    name: str | None = None
    properties: dict[str, JsonValue] = {}
    traits: dict[str, JsonValue] = {}
    timestamp: AwareDatetime


def read_events(file: Path) -> Iterator[RecordedEvent]:
    """Line by line.

    Raises:
        ConfigurationError: A line cannot be read; names it, the field and what is wrong.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _read(file, number, line)
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from None


def _read(file: Path, number: int, text: str) -> RecordedEvent:
    try:
        line = _Line.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{file}:{number}: no JSON: {error.msg}") from None
    except ValidationError as error:
        first: Any = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the line"
        raise ConfigurationError(f"{file}:{number}: {field}: {first['msg'].lower()}") from None
    contact = line.user_id or line.anonymous_id
    if not contact:
        raise ConfigurationError(f"{file}:{number}: userId or anonymousId is missing")
    event = line.event or {"page": "Page Viewed", "screen": "Screen Viewed"}.get(line.type or "")
    if event is None and not line.traits:
        raise ConfigurationError(f"{file}:{number}: event is missing")
    return RecordedEvent(contact, line.timestamp, event, line.properties, line.traits)
