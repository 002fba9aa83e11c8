"""Webhooks at a terminal: who is told what, what never arrived, and sending it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tabiji.desk.look import Api, moment
from tabiji.errors import Refused

WEBHOOKS = "/v1/webhooks"


def add_webhook(
    api: Api,
    url: str,
    events: Sequence[str],
    *,
    name: str | None,
    properties: Sequence[str] | None,
    email: bool,
    console: Console | None = None,
) -> None:
    """Subscribe, and print the secret."""
    out = console or Console()
    body: dict[str, Any] = {"url": url, "events": list(events)}
    body |= {"name": name} if name else {}
    body |= {"properties": list(properties)} if properties is not None else {}
    body |= {"include": ["email"]} if email else {}
    made = api.post(WEBHOOKS, body)
    webhook = made["webhook"]
    out.print(f"{escape(webhook['name'])} is told of {escape(', '.join(webhook['events']))} from now on.")
    out.print(f"It is sent: {', '.join(webhook['sent'])}", markup=False)
    _secret(out, made)


def show_webhooks(api: Api, console: Console | None = None) -> None:
    """Print who is told what, and how well it arrives."""
    out = console or Console()
    webhooks = api.get(WEBHOOKS)["webhooks"]
    if not webhooks:
        out.print("Nobody is told of anything. `tabiji webhook add URL --events …` subscribes somebody.")
        return
    headers = ("name", "told of", "sent", "state", "arrived last", "pending", "dead")
    table = Table(*(Column(header, overflow="fold") for header in headers))
    for one in webhooks:
        arrived = moment(one["succeeded_at"]) if one["succeeded_at"] else "-"
        events, sent = "\n".join(one["events"]), "\n".join(one["sent"])
        counts = (str(one["pending"]), str(one["dead"]))
        named = f"{one['name']}\n{one['url']}"
        table.add_row(*map(escape, (named, events, sent, _state(one), arrived, *counts)))
    out.print(table)


def try_webhook(api: Api, name: str, console: Console | None = None) -> bool:
    """Send a message that says nothing. Returns whether it was taken."""
    said = _post(api, name, "test")
    words = f"taken, with {said['status']}." if said["ok"] else f"not taken: {said['problem']}."
    (console or Console()).print(escape(words))
    return bool(said["ok"])


def turn_webhook(api: Api, name: str, action: str, console: Console | None = None) -> None:
    """Enable or disable."""
    said = _post(api, name, action)
    (console or Console()).print(escape(f"{said['name']} is {said['state']}."))


def rotate_webhook(api: Api, name: str, console: Console | None = None) -> None:
    """Replace the secret, and print the new one."""
    out = console or Console()
    made = _post(api, name, "rotate")
    out.print("For a day messages are signed with the one before too.")
    _secret(out, made)


def show_dead(api: Api, name: str | None, console: Console | None = None) -> None:
    """Print what never arrived, and calls of journeys that came to nothing."""
    out = console or Console()
    only = {"webhook": name} if name else {}
    page = api.get(f"{WEBHOOKS}/deliveries", state="dead", limit="100", **only)
    if page is None:
        raise _unknown()
    _table(
        out,
        "Never arrived: `tabiji webhook resend ID` or --all",
        [
            (one["id"], one["webhook"], one["event"], moment(one["recorded_at"]), str(one["tries"]), one["problem"])
            for one in page["deliveries"]
        ],
        ("id", "webhook", "event", "happened", "tries", "problem"),
    )
    calls: list[dict[str, Any]] = [] if name else api.get(f"{WEBHOOKS}/calls", limit="50")["calls"]
    _table(
        out,
        "Calls of journeys that came to nothing; the journeys went on",
        [(one["step"], moment(one["recorded_at"]), one["reason"]) for one in calls],
        ("step", "when", "reason"),
    )
    if not page["deliveries"] and not calls:
        out.print("Everything has arrived, or is still being tried.")
    if page["next"]:
        out.print(f"There are more: GET {WEBHOOKS}/deliveries?state=dead has them.")


def show_delivery(api: Api, id: str, console: Console | None = None) -> None:
    """Print one delivery and what it says."""
    out = console or Console()
    found = api.get(f"{WEBHOOKS}/deliveries/{quote(id, safe='')}")
    if found is None:
        raise Refused("no such delivery. `tabiji webhook dead` shows those that never arrived.")
    for name, value in found["delivery"].items():
        out.print(f"{name.replace('_', ' ')}: {'-' if value is None else value}", markup=False, highlight=False)
    said = found["message"]
    words = "the event was erased" if said is None else json.dumps(said, ensure_ascii=False, indent=2)
    out.print(words, markup=False)


def resend(api: Api, id: str | None, name: str | None, console: Console | None = None) -> None:
    """Send dead letters again: one, those of a webhook, or all."""
    out = console or Console()
    done = 0
    while True:
        path = f"{WEBHOOKS}/deliveries/{quote(id, safe='')}/resend" if id else f"{WEBHOOKS}/resend"
        said = api.post(path, {} if id or not name else {"webhook": name})
        done += said["resent"]
        if not said["more"]:
            break
    out.print(f"{done} on their way again." if done else "There is nothing to be sent again.")


def _post(api: Api, name: str, action: str) -> Any:
    return api.post(f"{WEBHOOKS}/{quote(name, safe='')}/{action}", {})


def _state(one: dict[str, Any]) -> str:
    if one["state"] == "disabled":
        return f"disabled: {one['reason']}"
    return f"failing since {moment(one['failing_since'])}" if one["failing_since"] else "enabled"


def _secret(out: Console, made: dict[str, Any]) -> None:
    out.print("Secret, for the receiver to check signatures with; it is not shown again:")
    out.print(made["secret"], soft_wrap=True, markup=False, highlight=False)


def _table(out: Console, title: str, rows: Sequence[Sequence[Any]], headers: Sequence[str]) -> None:
    if rows:
        columns = [Column(header, overflow="fold") for header in headers]  # an id that is cut is no use
        table = Table(*columns, title=f"{title}: {len(rows)}", title_justify="left")
        for row in rows:
            table.add_row(*(escape(str(value or "-")) for value in row))
        out.print(table)


def _unknown() -> Refused:
    return Refused("no webhook of that name. `tabiji webhook list` shows them.")
