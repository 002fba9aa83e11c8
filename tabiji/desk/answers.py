"""What came in by mail, and what people have to do about it, at a terminal."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tabiji.desk.look import Api, moment
from tabiji.errors import Refused

INBOUND, TASKS = "/v1/inbound", "/v1/tasks"


def show_returned(api: Api, *, unmatched: bool, limit: int, console: Console | None = None) -> None:
    """Print what came in."""
    out = console or Console()
    asked = {"matched": "false"} if unmatched else {}
    mails = api.get(INBOUND, limit=str(limit), **asked)["mails"]
    if not mails:
        out.print("Nothing has come in.")
        return
    headers = ("id", "when", "what", "outcome", "message", "matched by")
    table = Table(*(Column(header, overflow="fold") for header in headers))
    for one in mails:
        outcome = " ".join(filter(None, (one["outcome"], one["evidence"]))) or "-"
        seen = (one["id"], moment(one["recorded_at"]), one["sort"], outcome)
        table.add_row(*map(escape, (*seen, one["message"] or "-", one["matched"] or "nothing")))
    out.print(table)


def show_content(api: Api, mail: str, console: Console | None = None) -> None:
    """Print what is kept of a mail.

    Raises:
        Refused: There is none of that id, or nothing of it is kept.
    """
    found = api.get(f"{INBOUND}/{quote(mail, safe='')}")
    if found is None:
        raise Refused(f"no mail {mail!r} has come in. `tabiji returned list` shows them.")
    if found["content"] is None:
        raise Refused("nothing of it is kept: it belongs to a message of ours, or is older than thirty days.")
    (console or Console()).print(found["content"], markup=False, highlight=False)


def show_tasks(api: Api, *, who: str | None, done: bool, limit: int, console: Console | None = None) -> None:
    """Print what there is to do; of an answer, what was written."""
    out = console or Console()
    asked = {"who": who} if who else {}
    asked |= {} if done else {"state": "open"}
    tasks = api.get(TASKS, limit=str(limit), **asked)["tasks"]
    if not tasks:
        out.print("There is nothing to do.")
        return
    table = Table(*(Column(header, overflow="fold") for header in ("id", "who", "what", "since", "state")))
    for one in tasks:
        table.add_row(*map(escape, (one["id"], one["who"], _what(one), moment(one["at"]), one["state"])))
    out.print(table)


def finish(api: Api, task: str, *, by: str | None, note: str | None, console: Console | None = None) -> None:
    """Mark a task as done."""
    body = {name: text for name, text in (("by", by), ("note", note)) if text}
    done = api.post(f"{TASKS}/{quote(task, safe='')}/done", body)
    (console or Console()).print(escape(f"{done['title']}: done."))


def _what(task: dict[str, Any]) -> str:
    text = (task["text"] or "").strip()
    return f"{task['title']}\n\n{text[:500]}" if text else str(task["title"])
