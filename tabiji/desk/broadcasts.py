"""Broadcasts at a terminal: making them, how far they are, and who would get one."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tabiji.desk.look import Api, moment
from tabiji.errors import Refused

BROADCASTS = "/v1/broadcasts"
TOGETHER = 1000
COLUMNS = ("contact_id", "user_id", "email")


def create_broadcast(api: Api, body: Mapping[str, Any], people: Path | None, console: Console | None = None) -> None:
    """Make one. Named people are read from a CSV file, and it begins when all of them are on it."""
    out = console or Console()
    rows = _people(people) if people is not None else iter(())
    first = next(rows, None)
    if people is not None and first is None:
        raise Refused(f"{people} names nobody.")
    made = api.post(BROADCASTS, {**body, "people": True} if people is not None else dict(body))
    path = f"{BROADCASTS}/{made['id']}"
    if first is not None:
        added, unknown = 0, 0
        pending = [first, *islice(rows, TOGETHER - 1)]
        while pending:
            answer = api.post(f"{path}/people", {"people": pending})
            added, unknown = added + answer["added"], unknown + len(answer["unknown"])
            pending = list(islice(rows, TOGETHER))
        out.print(f"{added} people, {unknown} lines of the file lead to nobody we know.")
        made = api.post(f"{path}/start", {})
    out.print(f"{made['id']}  {made['name']}: {_when(made)}", markup=False, soft_wrap=True)


def show_broadcasts(api: Api, console: Console | None = None) -> None:
    """Print all of them."""
    out = console or Console()
    found = api.get(BROADCASTS)["broadcasts"]
    if not found:
        out.print("There are none. `tabiji broadcast create NAME TEMPLATE --list …` makes one.")
        return
    table = Table(*(Column(header, overflow="fold") for header in ("id", "name", "to", "when", "state", "people")))
    for one in found:
        to = ", ".join(f"{kind} {name}" for kind, name in one["audience"].items())
        total = "-" if one["total"] is None else str(one["total"])
        table.add_row(*map(escape, (one["id"], one["name"], to, _when(one), _state(one), total)))
    out.print(table)


def show_broadcast(api: Api, which: str, console: Console | None = None) -> None:
    """Print how far one is."""
    out = console or Console()
    one = api.get(f"{BROADCASTS}/{find(api, which)}")
    progress = one["progress"]
    out.print(f"{one['name']}: {one['template']}, {_state(one)}; {_when(one)}", markup=False, soft_wrap=True)
    if one["paused_because"]:
        out.print(f"paused because: {one['paused_because']}", markup=False, soft_wrap=True)
    table = Table("what", Column("people", justify="right"))
    table.add_row("recipients", "-" if one["total"] is None else str(one["total"]))
    for what in ("sent", "failed", "unknown", "deferred", "retry", "sending", "left"):
        if progress[what] or what in ("sent", "left"):
            table.add_row(what, "-" if progress[what] is None else str(progress[what]))
    for reason, count in sorted(progress["refused"].items()):
        table.add_row(escape(f"refused: {reason}"), str(count))
    out.print(table)
    if progress["done_at"]:
        out.print(f"{progress['a_second']} a second; done about {moment(progress['done_at'])}")


def tell_broadcast(api: Api, which: str, what: str, reason: str | None = None, console: Console | None = None) -> None:
    """Pause, resume or cancel one."""
    body = {"reason": reason} if what == "pause" else {}
    one = api.post(f"{BROADCASTS}/{find(api, which)}/{what}", body)
    (console or Console()).print(f"{one['name']}: {_state(one)}", markup=False)


def show_preview(api: Api, found: Mapping[str, Any], console: Console | None = None) -> None:
    """Print who would get it, and why the others not."""
    table = Table("what", Column("people", justify="right"))
    table.add_row("recipients", str(found["recipients"]))
    table.add_row("would get it now", str(found["would_get"]))
    for kind, words in (("later", "later"), ("refused", "not")):
        for reason, count in sorted(found[kind].items()):
            table.add_row(escape(f"{words}: {reason}"), str(count))
    (console or Console()).print(table)


def preview_existing(api: Api, which: str) -> Any:
    """What the API says of one that is there."""
    return api.get(f"{BROADCASTS}/{find(api, which)}/preview")


def find(api: Api, which: str) -> str:
    """The id behind an id or a name; of several of that name the latest.

    Raises:
        Refused: There is none.
    """
    try:
        return str(UUID(which))
    except ValueError:
        named = (one["id"] for one in api.get(BROADCASTS, limit="200")["broadcasts"] if one["name"] == which)
        found = next(named, None)
    if found is None:
        raise Refused(f"no broadcast {which!r}. `tabiji broadcast list` shows them.")
    return str(found)


def _people(file: Path) -> Iterator[dict[str, str]]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines)
        column = next((name for name in COLUMNS if name in (rows.fieldnames or ())), None)
        if column is None:
            raise Refused(f"{file}: the first line must name a column {', '.join(COLUMNS)}.")
        yield from ({column: value} for row in rows if (value := (row[column] or "").strip()))


def _when(one: Mapping[str, Any]) -> str:
    if one["local_at"]:
        return f"at {one['local_at'].replace('T', ' ')} on each person's own clock"
    return f"at {moment(one['at'])}"


def _state(one: Mapping[str, Any]) -> str:
    return f"{one['state']}, paused" if one["paused"] else str(one["state"])
