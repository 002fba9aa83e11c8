"""Events and parameters, asked from the API and shown as tables."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tabiji.desk.look import Api
from tabiji.errors import Refused


def show_events(api: Api, *, everything: bool = False, console: Console | None = None) -> None:
    """Print the events the application declares, and what came in otherwise."""
    out = console or Console()
    listed: list[dict[str, Any]] = _known(api.get("/v1/events"), "/v1/events")["events"]
    shown = [event for event in listed if everything or not event["built_in"]]
    if not shown:
        out.print("No event is declared in workflows/. `tabiji events --all` shows those everybody has.")
    else:
        table = Table("event", "properties", "example")
        for event in shown:
            table.add_row(
                escape(f"{event['name']}\n{event['title']}"),
                escape("\n".join(_property(one) for one in event["properties"]) or "-"),
                escape(json.dumps(event["example"], ensure_ascii=False)),
            )
        out.print(table)
    _show_problems(api, out)


def _show_problems(api: Api, out: Console) -> None:
    problems: list[dict[str, Any]] = _known(api.get("/v1/events/problems"), "/v1/events/problems")["problems"]
    if not problems:
        out.print("Everything came in as declared.")
        return
    table = Table("event", "property", "problem", "times", "last", "came with", title="Came in otherwise; it was kept")
    for one in problems:
        shape = ", ".join(f"{name}: {kind}" for name, kind in one["shape"].items()) or "-"
        table.add_row(
            escape(one["name"]), escape(one["property"] or "-"), escape(one["problem"]), str(one["count"]),
            _moment(one["last_at"]), escape(shape),
        )  # fmt: skip # one row
    out.print(table)


def show_params(api: Api, console: Console | None = None) -> None:
    """Print what may be turned, and to what it is turned."""
    out = console or Console()
    params: list[dict[str, Any]] = _known(api.get("/v1/params"), "/v1/params")["params"]
    if not params:
        out.print("No param is declared in workflows/. An author opens a value with param(…).")
        return
    table = Table("param", "in force", "allowed", "turned")
    for one in params:
        turned = f"version {one['version']} by {one['set_by']}, {_moment(one['set_at'])}" if one["version"] else "-"
        inside = "; people inside move" if one["moves"] else ""
        table.add_row(
            escape(f"{one['name']}\n{one['title']}"), escape(one["in_words"]), escape(one["allowed"] + inside),
            escape(turned),
        )  # fmt: skip # one row
    out.print(table)


def set_param(api: Api, name: str, value: str, by: str | None, console: Console | None = None) -> None:
    """Turn one, and say what is in force now.

    Raises:
        Refused: There is none of that name, or the value is out of bounds.
    """
    path = f"/v1/params/{quote(name, safe='')}"
    param = _found(api.get(path), name)
    sent: Any = value
    if param["kind"] in ("whole number", "number"):
        sent = _number(value)
    elif param["kind"] == "yes or no":
        sent = {"yes": True, "true": True, "no": False, "false": False}.get(value.lower(), value)
    now = api.put(path, {"value": sent, **({"by": by} if by else {})})
    who = "everybody from their next step" if now["moves"] else "who enters from now on; people inside keep theirs"
    (console or Console()).print(f"{name} is {now['in_words']} (version {now['version']}) for {who}.", markup=False)


def show_param_history(api: Api, name: str, console: Console | None = None) -> None:
    """Print who turned it, when, from what to what.

    Raises:
        Refused: There is none of that name.
    """
    versions: list[dict[str, Any]] = _found(api.get(f"/v1/params/{quote(name, safe='')}/history"), name)["versions"]
    table = Table("version", "when", "who", "key", "from", "to")
    for one in versions:
        table.add_row(
            str(one["version"]), _moment(one["set_at"]), escape(one["set_by"]), escape(one["key"]),
            escape(str(one["before"])), escape(str(one["value"])),
        )  # fmt: skip # one row
    (console or Console()).print(table if versions else f"{name} was never turned: the author's default is in force.")


def _property(one: dict[str, Any]) -> str:
    return f"{one['name']}: {one['type']}{'' if one['required'] else ', may be absent'}"


def _number(value: str) -> Any:
    """The number as JSON has it; a text that is none goes along as it is and is refused with what is allowed."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _known(answer: Any, path: str) -> Any:
    if answer is None:
        raise Refused(f"this API does not know {path}: it is older than this command.")
    return answer


def _found(answer: Any, name: str) -> Any:
    if answer is None:
        raise Refused(f"no param {name!r} is declared. `tabiji param list` shows them.")
    return answer


def _moment(at: str) -> str:
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
