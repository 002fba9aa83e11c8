"""The suppression list at a terminal, and as a file."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tabiji.desk.look import Api, moment
from tabiji.errors import Refused

SUPPRESSIONS = "/v1/suppressions"
FIELDS = ("value", "reason", "transactional", "source", "evidence", "note", "since", "until", "lifted_at")
PAGE = 500
_COLUMNS = ("value", "email", "address", "domain")
_KEPT = ("reason", "note", "since", "until", "transactional")
_LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def show_suppressions(
    api: Api, value: str | None, *, reason: str | None, over: bool, limit: int, console: Console | None = None
) -> None:
    """Print who is not written to, and why."""
    out = console or Console()
    entries = api.get(SUPPRESSIONS, **_asked(value, reason, over), limit=str(limit))["suppressions"]
    if not entries:
        out.print("Nobody." if value is None else f"{escape(value)} is not on the list.")
        return
    headers = ("address or domain", "reason", "stops", "since", "until", "said by", "note")
    table = Table(*(Column(header, overflow="fold") for header in headers))
    for one in entries:
        stops = "everything" if one["transactional"] else "marketing"
        said = " ".join(filter(None, (one["source"], one["evidence"], one["by"])))
        table.add_row(
            *map(escape, (one["value"], one["reason"], stops, moment(one["since"]), _end(one), said, one["note"] or ""))
        )
    out.print(table)


def add_suppression(
    api: Api, value: str, *, note: str | None, transactional: bool, until: str | None, console: Console | None = None
) -> None:
    """Put an address or a domain on the list."""
    body: dict[str, Any] = {"value": value, "transactional": transactional}
    body |= {"note": note} if note else {}
    body |= {"until": until} if until else {}
    added = api.post(SUPPRESSIONS, body)["added"]
    words = "is not written to from now on." if added else "was on the list already, and stays as it was."
    (console or Console()).print(escape(f"{value} {words}"))


def lift_suppression(api: Api, value: str, *, reason: str | None, console: Console | None = None) -> bool:
    """Take an address or a domain off the list. Returns whether it was on it."""
    lifted = api.post(f"{SUPPRESSIONS}/lift", {"value": value} | ({"reason": reason} if reason else {}))["lifted"]
    words = "may be written to again." if lifted else "is not on the list."
    (console or Console()).print(escape(f"{value} {words}"))
    return bool(lifted)


def import_suppressions(api: Api, file: Path, *, reason: str | None, console: Console | None = None) -> None:
    """Take over a file, page by page: each page all or nothing.

    Raises:
        Refused: The file has no column of addresses, or a line is none; its number is in the message.
    """
    added = lines = 0
    page: list[dict[str, str]] = []
    for entry in _entries(file, reason):
        page.append(entry)
        lines += 1
        if len(page) == PAGE:
            added, page = added + _send(api, page, lines), []
    added += _send(api, page, lines) if page else 0
    (console or Console()).print(f"{lines} lines: {added} are new, {lines - added} were on the list already.")


def export_suppressions(api: Api, file: Path | None, *, over: bool) -> None:
    """Write all entries as CSV."""
    target = file.open("w", newline="", encoding="utf-8") if file is not None else nullcontext(sys.stdout)
    with target as out:
        writer = csv.DictWriter(out, FIELDS, extrasaction="ignore")
        writer.writeheader()
        for one in _all(api, over):
            writer.writerow({name: _harmless(one[name]) for name in FIELDS})


def _send(api: Api, page: list[dict[str, str]], lines: int) -> int:
    try:
        return int(api.post(f"{SUPPRESSIONS}/import", {"entries": page})["added"])
    except Refused as refused:
        first = lines - len(page) + 2
        raise Refused(f"of lines {first} to {lines + 1} none was taken; entries.0 is line {first}. {refused}") from None


def _entries(file: Path, reason: str | None) -> Iterator[dict[str, str]]:
    try:
        opened = file.open(newline="", encoding="utf-8-sig")
    except OSError as problem:
        raise Refused(f"{file} cannot be read: {problem.strerror}.") from None
    with opened as source:
        reader = csv.DictReader(source)
        columns = {name.strip().lower() for name in reader.fieldnames or ()}
        column = next((name for name in _COLUMNS if name in columns), None)
        if column is None:
            raise Refused(f"{file} has no column named {', '.join(_COLUMNS[:-1])} or {_COLUMNS[-1]}.")
        for row in reader:
            said = {name.strip().lower(): (text or "").strip() for name, text in row.items() if isinstance(name, str)}
            if said.get("lifted_at"):
                continue  # what our own export says is over
            if not (value := said[column].removeprefix("'")):
                continue
            entry = {"value": value} | {name: said[name] for name in _KEPT if said.get(name)}
            yield {"reason": reason} | entry if reason else entry


def _all(api: Api, over: bool) -> Iterator[dict[str, Any]]:
    after: str | None = None
    while True:
        page = api.get(SUPPRESSIONS, **_asked(None, None, over), limit=str(PAGE), **({"after": after} if after else {}))
        yield from page["suppressions"]
        after = page["next"]
        if after is None:
            return


def _asked(value: str | None, reason: str | None, over: bool) -> dict[str, str]:
    asked = {"value": value, "reason": reason, "over": "true" if over else None}
    return {name: text for name, text in asked.items() if text is not None}


def _end(entry: dict[str, Any]) -> str:
    if entry["lifted_at"]:
        return f"lifted {moment(entry['lifted_at'])}"
    return moment(entry["until"]) if entry["until"] else "-"


def _harmless(value: object) -> object:
    """Spreadsheets run what begins like a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_LIKE_A_FORMULA) else value
