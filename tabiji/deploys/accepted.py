"""Changes of meaning that somebody has read and accepted: a small file in the repository, which CI honours."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tabiji.deploys.histories import FOLDER
from tabiji.deploys.meaning import Change
from tabiji.errors import ConfigurationError

FILE = FOLDER / "accepted.toml"
HEAD = (
    "# Changes of meaning for people in the middle of a journey, accepted. `tabiji replay --accept-all` adds to it.\n"
)


class _Accepted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    journey: str
    step: str
    what: str
    old: str
    new: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accepted: list[_Accepted] = []


class Accepted:
    """What is in the file; nothing where there is none."""

    def __init__(self, file: Path = FILE) -> None:
        """Read it.

        Raises:
            ConfigurationError: It is not of the form this module writes.
        """
        self._file = file
        self._entries: list[_Accepted] = []
        if file.exists():
            try:
                self._entries = _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).accepted
            except (tomllib.TOMLDecodeError, ValidationError) as error:
                raise ConfigurationError(f"{file} cannot be read: {str(error).splitlines()[0]}") from None
        self._keys = {(one.journey, one.step, one.what, one.old, one.new) for one in self._entries}

    def __contains__(self, change: Change) -> bool:
        return change.key in self._keys

    def add(self, changes: Iterable[Change]) -> None:
        """Write more of them down."""
        new = [change for change in changes if change not in self]
        entries: list[Any] = [*self._entries, *new]
        blocks = [
            "\n".join(["[[accepted]]", *(f"{name} = {_quoted(getattr(one, name))}" for name in _Accepted.model_fields)])
            for one in entries
        ]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(HEAD + "".join(f"\n{block}\n" for block in blocks), encoding="utf-8")
        self._keys |= {change.key for change in new}


def _quoted(text: str) -> str:
    """A TOML string. What JSON escapes, TOML reads."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
