"""What was said of somebody, by attribute and time: the latest counts, in whatever order it came.

register = {}
put(register, "plan", "pro", at)            True where it is news
latest([register, another])                 {"plan": ("2026-…", "pro")}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import JsonValue

Register = MutableMapping[str, Any]
"""Of each attribute a list of two: when it was said, in ISO 8601 of UTC, and what."""


def stamp(at: datetime) -> str:
    """A time as registers have it: of two texts the later time is the greater one."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def just_after(written: str, at: datetime) -> datetime:
    """A time that is not before `at` and is after one that is written in a register."""
    return max(at, datetime.fromisoformat(written) + timedelta(microseconds=1))


def put(register: Register, name: str, value: JsonValue, at: datetime) -> bool:
    """Write what was said, unless something later is there. Of one moment the greater value counts.

    Returns:
        Whether the register says something else now.
    """
    said = [stamp(at), value]
    if name in register and _rank(register[name]) >= _rank(said):
        return False
    register[name] = said
    return True


def latest(registers: Iterable[Register]) -> dict[str, tuple[str, JsonValue]]:
    """The latest of each attribute."""
    best: dict[str, Any] = {}
    for register in registers:
        for name, said in register.items():
            if name not in best or _rank(said) > _rank(best[name]):
                best[name] = said
    return {name: (at, value) for name, (at, value) in best.items()}


def _rank(said: Any) -> tuple[str, str]:
    return said[0], json.dumps(said[1], sort_keys=True, ensure_ascii=False)
