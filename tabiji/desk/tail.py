"""What comes in, line by line, with what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from tabiji.desk.look import Api

PATIENCE = 8
"""Seconds the API may keep a request that has nothing to tell; less than the client waits for an answer."""


def show_tail(
    api: Api, *, who: str | None, name: str | None, follow: bool, as_json: bool, console: Console | None = None
) -> None:
    """Print the latest events and refusals, and then each as it comes, until it is interrupted.

    Args:
        api: Whom to ask.
        who: An e-mail address, user id or anonymous id; everybody where not given.
        name: Of the event; all where not given.
        follow: Go on; else only what is there.
        as_json: One JSON object a line, for programs.
        console: Where to.
    """
    out = console or Console(highlight=False)
    asked = {key: value for key, value in (("who", who), ("name", name)) if value is not None}
    found = api.get("/v1/events/trace", **asked)
    while True:
        for kind, one in _in_order(found):
            if as_json:
                out.print(json.dumps({kind: one}, ensure_ascii=False), soft_wrap=True, markup=False)
            else:
                out.print("\n".join(_refused(one) if kind == "refused" else _event(one)), soft_wrap=True)
        if not follow:
            return
        place = {"after": str(found["after"]), "refused_after": str(found["refused_after"])}
        found = api.get("/v1/events/trace", **asked, **place, wait=str(PATIENCE))


def _in_order(found: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    both = [*(("event", one) for one in found["events"]), *(("refused", one) for one in found["refused"])]
    return sorted(both, key=lambda one: datetime.fromisoformat(one[1]["recorded_at"]))


def _event(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"{_clock(one)} [bold]{escape(one['name'])}[/bold] {escape(one['identity'] or '')} {one['contact_id']}"
    for began in one["started"]:
        yield f"         entered {began['journey']} (start {began['dispatch']})"
    for woken in one["woke"]:
        yield f"         answered {woken['journey']}: {escape(woken['step'])} (signal {woken['dispatch']})"
    if one["nothing"]:
        yield f"         nothing: {escape(one['nothing'])}"
    else:
        yield from (f"         not {passed['journey']}: {escape(passed['why'])}" for passed in one["passed"])
    yield from (f"         [red]not as declared: {escape(problem)}[/red]" for problem in one["problems"])


def _refused(one: Mapping[str, Any]) -> Iterator[str]:
    by = f"key {one['key']}" if one["key"] else "no known key"
    yield f"{_clock(one)} [red]refused[/red] {one['call']} ({one['status']}), {escape(by)}"
    yield f"         {escape(': '.join(filter(None, (one['field'], one['problem']))))}"


def _clock(one: Mapping[str, Any]) -> str:
    return datetime.fromisoformat(one["recorded_at"]).astimezone().strftime("%H:%M:%S")
