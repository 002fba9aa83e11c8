"""Pause, resume, skip, cancel: asks the API to, and shows how far it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tabiji.desk.application import load
from tabiji.desk.look import Api, moment
from tabiji.errors import Refused, Unavailable
from tabiji.settings import Settings

LOOK_EVERY = 0.5
Agreed = Callable[[str], bool]


@dataclass(frozen=True)
class Order:
    """Whom somebody at a terminal means, and why."""

    everything: bool = False
    journey: str | None = None
    contact: str | None = None
    enrollment: str | None = None
    waiting_for: str | None = None
    reason: str | None = None

    @property
    def whom(self) -> dict[str, Any]:
        """As the API takes it.

        Raises:
            Refused: Nobody is named.
        """
        named: dict[str, Any] = {"everything": True} if self.everything else {}
        for name in ("journey", "enrollment", "waiting_for"):
            if (value := getattr(self, name)) is not None:
                named[name] = value
        if self.contact is not None:
            named |= _contact(self.contact)
        if not named:
            raise Refused("say whom: --everything, --journey NAME, --contact EMAIL|ID, --enrollment ID.")
        return named

    @property
    def is_one_row(self) -> bool:
        """Whether a pause of it is a single row: one thing is named and nothing is left out of it."""
        return len(self.whom) == 1 and self.waiting_for is None


def pause(api: Api, order: Order, agreed: Agreed, console: Console | None = None) -> bool:
    """Pause. Returns whether it was done."""
    out = console or Console()
    if not _go_on(api, order, "paused", agreed, out):
        return False
    if not order.is_one_row:
        return _batch(api, {"action": "pause"}, order, out)
    paused = api.post("/v1/pauses", {**order.whom, "reason": order.reason})
    out.print(f"Paused by {escape(paused['by'])} since {moment(paused['recorded_at'])}: pause {paused['id']}.")
    out.print("Waits go on and events count; nothing goes out. `tabiji resume` with the same words ends it.")
    return True


def stop_everything(settings: Settings, reason: str | None, console: Console | None = None) -> None:
    """Pause everything: by the API, and where that does not answer, in the database itself.

    Raises:
        Refused: The API does not take the key.
        ConfigurationError, DatabaseDown: Neither can be reached from here.
    """
    out = console or Console()
    try:
        with Api(settings) as api:
            paused = api.post("/v1/pauses", {"everything": True, "reason": reason})
        by = paused["by"]
    except Unavailable as away:
        out.print(f"{escape(str(away))}\nTrying the database itself.")
        by = "tabiji stop"
        asyncio.run(load("models.emergency").stop(settings.database, by=by, reason=reason))
    out.print(
        f"[bold]Everything is stopped[/bold], by {escape(by)}. A mail on the wire is finished; nothing else goes out."
    )
    out.print("Waits go on and events count. `tabiji pauses` shows whom it holds, `tabiji go` ends it.")


def resume(api: Api, order: Order, console: Console | None = None, *, wait: bool = True) -> bool:
    """End a pause and show how those it holds are let go on. Returns whether there was one."""
    out = console or Console()
    if not order.is_one_row:
        return _batch(api, {"action": "resume"}, order, out)
    wanted = _scope(api, order)
    pauses = [one for one in api.get("/v1/pauses", limit="200")["pauses"] if (one["scope"], one["target"]) == wanted]
    if not pauses:
        out.print("That is not paused. `tabiji pauses` shows what is.")
        return False
    ended = api.post(f"/v1/pauses/{pauses[0]['id']}/resume", {})
    held = ended["held"]
    out.print(f"Resumed. {held} enrollments stood before an effect and go on, one after the other.")
    if wait and held:
        with _progress(out) as progress:
            bar = progress.add_task("going on", total=held)
            while ended["held"]:
                time.sleep(LOOK_EVERY)
                ended = api.get(f"/v1/pauses/{ended['id']}")
                progress.update(bar, completed=held - ended["held"])
    return True


def tell(api: Api, action: str, order: Order, agreed: Agreed, console: Console | None = None, **more: Any) -> bool:
    """Skip or cancel, one or many. Returns whether it was done."""
    out = console or Console()
    words = {"skip": "have their wait ended", "cancel": "taken out of their journey"}
    if list(order.whom) == ["enrollment"]:
        body = {"reason": order.reason} | {name: value for name, value in more.items() if name == "step" and value}
        api.post(f"/v1/enrollments/{order.enrollment}/{action}", body)
        out.print(f"On its way: {action} {escape(str(order.enrollment))}.")
        return True
    if more.get("step"):
        raise Refused("--step is a step of one enrollment: name it with --enrollment.")
    if not _go_on(api, order, words[action], agreed, out):
        return False
    return _batch(api, {"action": action, "rate": more.get("rate", 50)}, order, out)


def show_pauses(api: Api, console: Console | None = None) -> None:
    """Print what is paused now."""
    out = console or Console()
    pauses = api.get("/v1/pauses", limit="200")["pauses"]
    if not pauses:
        out.print("Nothing is paused.")
        return
    table = Table("what", "since", "by", "reason", "held", "pause")
    for one in pauses:
        what = one["scope"] + (f" {one['target']}" if one["target"] else "")
        row = (what, moment(one["recorded_at"]), one["by"], one["reason"] or "-", str(one["held"]), one["id"])
        table.add_row(*map(escape, row))
    out.print(table)


def _go_on(api: Api, order: Order, what: str, agreed: Agreed, out: Console) -> bool:
    query = {name: "true" if value is True else str(value) for name, value in order.whom.items()}
    reached = api.get("/v1/reach", **query)
    if reached is None:
        raise Refused("nothing of that name is there. `tabiji journeys` and `tabiji contact` show what is.")
    number = reached["enrollments"]
    if agreed(f"{number} enrollments under way are {what}. Go on?"):
        return True
    out.print("Nothing was done.")
    return False


def _batch(api: Api, body: Mapping[str, Any], order: Order, out: Console) -> bool:
    batch = api.post("/v1/batches", {**body, "whom": order.whom, "reason": order.reason})
    return follow(api, batch, out)


def follow(api: Api, batch: dict[str, Any], out: Console) -> bool:
    """Show how far a batch is until it ends. The server carries it out whether or not anybody looks."""
    out.print(f"Batch {batch['id']}: {batch['action']}, {batch['total']} in all, at most {batch['rate']:g} a second.")
    out.print("The server does it: closing this window stops nothing.")
    with _progress(out) as progress:
        bar = progress.add_task(batch["action"], total=batch["total"])
        while batch["state"] == "running":
            time.sleep(LOOK_EVERY)
            batch = api.get(f"/v1/batches/{batch['id']}")
            progress.update(bar, completed=batch["done"] + batch["left_out"])
    out.print(f"{batch['state']}: {batch['done']} done, {batch['left_out']} not concerned any more.")
    return bool(batch["state"] == "done")


def _scope(api: Api, order: Order) -> tuple[str, str]:
    """Scope and target of a pause of it."""
    if order.everything:
        return "everything", ""
    if order.journey is not None:
        return "journey", order.journey
    if order.enrollment is not None:
        return "enrollment", order.enrollment
    named = _contact(str(order.contact))
    if "contact" in named:
        return "contact", str(UUID(named["contact"]))
    person = api.get("/v1/contacts", email=named["email"], limit="1")
    if person is None:
        raise Refused("no contact has this address.")
    return "contact", str(person["id"])


def _contact(named: str) -> dict[str, str]:
    if "@" in named:
        return {"email": named}
    try:
        return {"contact": str(UUID(named))}
    except ValueError:
        raise Refused("--contact takes an address, or a contact's id as `tabiji contact` shows it.") from None


def _progress(out: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=out, transient=False)
