"""Writes the table of settings in docs/operations.md from the settings themselves. `--check` only compares."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from types import NoneType
from typing import Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from tabiji.settings import Settings

DOCUMENT = Path(__file__).parent.parent / "docs" / "operations.md"
BEGIN = "<!-- settings: written by tools/settings_table.py -->"
END = "<!-- end of settings -->"


def main() -> None:
    """Compare or write."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    wanted = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    if "--check" not in sys.argv:
        DOCUMENT.write_text(wanted, encoding="utf-8")
    elif text != wanted:
        sys.exit("docs/operations.md is behind tabiji/settings.py: run `python tools/settings_table.py`.")


def table() -> str:
    """All settings, in the order of their class."""
    rows = [_row(name, field) for name, field in Settings.model_fields.items()]
    return "\n".join(["| variable | default | what it is |", "| --- | --- | --- |", *rows])


def _row(name: str, field: FieldInfo) -> str:
    meaning = " · ".join(part for part in (field.description, _choices(field.annotation), _secret(field)) if part)
    return f"| `TABIJI_{name.upper()}` | {_default(field.default)} | {meaning} |"


def _default(value: object) -> str:
    match value:
        case None:
            return ""
        case timedelta():
            return f"`P{value.days}D`" if value else "`PT0S`"
        case bool():
            return f"`{str(value).lower()}`"
        case _:
            return f"`{value}`"


def _choices(annotation: object) -> str:
    if get_origin(annotation) is not Literal:
        return ""
    return " or ".join(f"`{choice}`" for choice in get_args(annotation))


def _secret(field: FieldInfo) -> str:
    kinds = {field.annotation, *get_args(field.annotation)} - {NoneType}
    return "a secret: never logged" if SecretStr in kinds else ""


if __name__ == "__main__":
    main()
