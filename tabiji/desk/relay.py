"""Hands a child's lines on to the supervisor's own log, under the child's name."""

from __future__ import annotations

import json
import logging
from typing import Any

import structlog

LEVELS = {"debug": 10, "info": 20, "warn": 30, "warning": 30, "error": 40, "critical": 50, "fatal": 50}
OWN = frozenset({"event", "level", "timestamp", "logger", "process", "time", "msg"})


class Relay:
    """Reads a line as what it is: one of our JSON events, a Temporal server's, or plain words."""

    def __init__(self, name: str, *, quiet: bool = False) -> None:
        self._log = structlog.stdlib.get_logger(name).bind(process=name)
        self._least = logging.ERROR if quiet else logging.DEBUG
        self._quiet = quiet

    def __call__(self, line: str) -> None:
        """Pass one line on."""
        event = _event(line)
        if event is None:
            self._log.log(logging.DEBUG if self._quiet else logging.INFO, line)
            return
        level = LEVELS.get(str(event.get("level", "info")).lower(), logging.INFO)
        if level >= self._least:
            said = str(event.get("event") or event.get("msg") or line)
            rest = {_plain(key): value for key, value in event.items() if key not in OWN}
            self._log.log(level, said, **rest)


def _event(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        found: Any = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType] # JSON


def _plain(key: str) -> str:
    """Names that the logging call itself would take for its own."""
    return f"{key}_" if key in ("exc_info", "stack_info", "stacklevel", "extra", "args") else key.replace("-", "_")
