"""Experiments, asked from the API and told in words."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tabiji.desk.look import Api
from tabiji.errors import UnknownExperiment


def show_experiments(api: Api, console: Console | None = None) -> None:
    """All that have begun."""
    console = console or Console()
    found: list[dict[str, Any]] = api.get("/v1/experiments")["experiments"]
    if not found:
        console.print("No experiment has begun. A `split`, or a mail with test=content_test(…), begins one.")
        return
    table = Table("experiment", "kind", "arms", "goal", "people", "decided", box=None)
    for one in found:
        decided = one["decision"]["arm"] if one["decision"] else ""
        goal = ", ".join(one["goals"]) or ("a click in the mail" if one["kind"] == "content" else "none")
        cells = (one["name"], one["kind"], ", ".join(one["arms"]), goal, str(one["people"]), decided)
        table.add_row(*map(escape, cells))
    console.print(table)


def show_experiment(api: Api, name: str, console: Console | None = None) -> None:
    """What one says.

    Raises:
        UnknownExperiment: There is none of that name.
    """
    found = api.get(f"/v1/experiments/{quote(name, safe='')}")
    if found is None:
        raise UnknownExperiment(name)
    told(found, console or Console())


def decide(
    api: Api, name: str, arm: str | None, *, by: str | None, note: str | None, console: Console | None = None
) -> None:
    """Decide, and show what holds then.

    Raises:
        UnknownExperiment: There is none of that name.
    """
    body = {"arm": arm, "by": by, "note": note}
    found = api.post(f"/v1/experiments/{quote(name, safe='')}/decision", body)
    if found is None:
        raise UnknownExperiment(name)
    told(found, console or Console())


def told(found: dict[str, Any], console: Console) -> None:
    """One experiment as its readers want it: the answer first, then the figures."""
    console.print(f"[bold]{escape(found['name'])}[/bold]  ({found['kind']})")
    console.print(escape(found["says"]))
    console.print(f"Next: {escape(found['next'])}")
    if (decision := found["decision"]) is not None:
        why = f": {decision['reason']}" if decision["reason"] else ""
        console.print(escape(f"Decided for {decision['arm']} by {decision['by']} on {decision['at'][:10]}{why}"))
    goal = " or ".join(found["goals"]) or "a click in the mail"
    console.print(escape(f"\nCounted: {goal}, within {found['within']} of being given the arm. Test contacts are out."))
    console.print(_figures(found["detail"]))
    if any(arm["mails"] for arm in found["detail"]):
        console.print(_mails(found["detail"]))


def _figures(arms: list[dict[str, Any]]) -> Table:
    table = Table("arm", box=None)
    for title in ("people", "waiting", "counted", "converted", "rate", "between", "best", "more than the first"):
        table.add_column(title, justify="right")
    for arm in arms:
        table.add_row(
            escape(arm["arm"]),
            *(str(arm[name]) for name in ("people", "waiting", "counted", "converted")),
            f"{arm['rate']:.1%}",
            f"{arm['low']:.1%} to {arm['high']:.1%}",
            f"{arm['best']:.0%}",
            arm["uplift"]["in_words"] if arm["uplift"] else "",
        )
    return table


def _mails(arms: list[dict[str, Any]]) -> Table:
    seen = ("sent", "opened", "clicked", "replied", "unsubscribed", "complained")
    table = Table("its mails", box=None)
    for title in seen:
        table.add_column(title, justify="right")
    for arm in arms:
        if arm["mails"]:
            table.add_row(escape(arm["arm"]), *(str(arm["mails"][name]) for name in seen))
    return table
