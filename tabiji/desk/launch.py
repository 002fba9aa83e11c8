"""Draft, pilot, live, closing from a terminal: says whom a journey would reach before it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tabiji.desk.look import Api, moment
from tabiji.desk.steer import follow
from tabiji.domain.launch import CAUTIOUS, Fact, Limit, Pilot
from tabiji.errors import Refused

Agreed = Callable[[str], bool]


@dataclass(frozen=True)
class GoLive:
    """What somebody at a terminal asks for. `enter`: let in who matches already; None: ask."""

    journey: str
    pilot: str | None = None
    people: str | None = None
    stop_on: str | None = None
    enter: bool | None = None
    rate: float = 5
    reason: str | None = None

    @property
    def rule(self) -> Pilot | None:
        """Whom the pilot takes; None: it is no pilot.

        Raises:
            Refused: It cannot be read.
        """
        if self.pilot is None and self.people is None:
            if self.stop_on is not None:
                raise Refused("--stop-on is for a pilot: say --pilot 10, --pilot 5% or --people a@example.com.")
            return None
        try:
            limits = CAUTIOUS if self.stop_on is None else _limits(self.stop_on)
            people = tuple(one.strip() for one in (self.people or "").split(",") if one.strip())
            if self.pilot is None:
                return Pilot(people=people, stop_on=limits)
            if people:
                raise ValueError("--pilot and --people: say one of them")
            if self.pilot.strip().endswith("%"):
                return Pilot(share=float(self.pilot.strip().removesuffix("%")) / 100, stop_on=limits)
            return Pilot(number=int(self.pilot), stop_on=limits)
        except ValueError as error:
            first = str(error).splitlines()[0]
            raise Refused(f"that is no pilot: {first}. E.g. --pilot 10, --pilot 5%, --stop-on errors=1.") from None


def golive(api: Api, asked: GoLive, agreed: Agreed, console: Console | None = None) -> bool:
    """Say whom it would reach, ask, and let people in. Returns whether it was done."""
    out, rule = console or Console(), asked.rule
    name = asked.journey
    before = known(api.get(f"/v1/journeys/{name}/state"), name)
    audience = api.get(f"/v1/journeys/{name}/audience")
    out.print(f"{escape(name)} is {before['state']}, {_inside(before['inside'])}.")
    if before["stopped"]:
        out.print(f"Its pilot stopped itself: {before['stopped']}.")
    late = _say_audience(out, audience)
    whom = "whoever its triggers name enters" if rule is None else f"{rule} enter, {_stops(rule)}"
    if not agreed(f"From now on {whom}. Go on?"):
        out.print("Nothing was changed.")
        return False
    body = {"state": "live"} if rule is None else {"state": "pilot", "pilot": rule.model_dump(mode="json")}
    api.put(f"/v1/journeys/{name}/state", body | {"reason": asked.reason})
    out.print(f"{escape(name)} is {body['state']}.")
    for source, people in late.items():
        question = f"{people} people match already. Do they enter now, {asked.rate:g} a second?"
        if people and (asked.enter if asked.enter is not None else agreed(question)):
            sent = {"source": source, "rate": asked.rate, "days": audience["days"], "reason": asked.reason}
            follow(api, api.post(f"/v1/journeys/{name}/latecomers", sent), out)
    return True


def set_state(api: Api, name: str, state: str, reason: str | None, console: Console | None = None) -> None:
    """Make a journey a draft, or close it."""
    out = console or Console()
    known(api.get(f"/v1/journeys/{name}/state"), name)
    now = api.put(f"/v1/journeys/{name}/state", {"state": state, "reason": reason})
    holds = f", to the end; `tabiji pause --journey {name}` would hold them" if now["inside"] else ""
    inside = f"{_inside(now['inside'])}{holds}."
    out.print(f"{escape(name)} is {state}: nobody enters. {inside}")


def show_journeys(names: dict[str, str], answer: dict[str, Any] | None, console: Console | None = None) -> None:
    """Print journeys by name and title; with what the API says of them, where it answered."""
    out = console or Console(soft_wrap=True)
    said = {one["name"]: one for one in (answer or {"journeys": []})["journeys"]}
    for name, title in names.items():
        state = said.get(name)
        words = "" if state is None else f"{_state(state):24} "
        out.print(f"{name:32} {words}{title}", markup=False, highlight=False)


def show_state(api: Api, name: str, console: Console | None = None) -> None:
    """Print one journey's state, how its pilot does, and who has changed it."""
    out = console or Console()
    found = known(api.get(f"/v1/journeys/{name}/state"), name)
    out.print(f"{escape(name)} is {found['state']}, {_inside(found['inside'])}.")
    if found["stopped"]:
        out.print(f"[bold]Its pilot stopped itself: {escape(found['stopped'])}.[/bold]")
    if pilot := found["pilot"]:
        seen = ", ".join(f"{pilot[fact.value]} {fact.value}" for fact in Fact)
        out.print(f"Pilot: {pilot['words']}; {pilot['entered']} entered, {seen}.")
    for reason, times in found["refused"].items():
        out.print(f"Kept out, {reason}: {times}.")
    table = Table("when", "from", "to", "by", "reason")
    for change in found["history"]:
        row = (change["before"], change["state"], change["by"], change["reason"] or "-")
        table.add_row(moment(change["recorded_at"]), *map(escape, row))
    if found["history"]:
        out.print(table)


def known(answer: Any, name: str) -> dict[str, Any]:
    """What the API said of a journey.

    Raises:
        Refused: It does not know it.
    """
    if answer is None:
        raise Refused(f"the API knows no journey {name!r}. `tabiji journeys` lists them.")
    found: dict[str, Any] = answer
    return found


def _say_audience(out: Console, audience: dict[str, Any]) -> dict[str, int]:
    least = "" if audience["exact"] else "at least "
    out.print(
        f"In the last {audience['days']} days {least}{_people(audience['by_events'])} did what starts it; "
        f"its schedules name {_people(audience['by_schedule'])} now. Who is in it already counts too."
    )
    return {"events": audience["by_events"], "audience": audience["by_schedule"]}


def _people(count: int) -> str:
    return f"{count} {'person' if count == 1 else 'people'}"


def _inside(count: int) -> str:
    return f"{_people(count)} {'is' if count == 1 else 'are'} inside"


def _stops(rule: Pilot) -> str:
    limits = ", ".join(f"{limit} {fact.value}" for fact, limit in rule.stop_on.items())
    return f"and it stops itself at {limits}" if limits else "and nothing stops it"


def _state(found: dict[str, Any]) -> str:
    stopped = " (stopped itself)" if found["stopped"] else ""
    return f"{found['state']}{stopped}, {found['inside']} inside"


def _limits(words: str) -> dict[Fact, Limit]:
    limits: dict[Fact, Limit] = {}
    for part in words.split(","):
        name, equals, limit = part.strip().partition("=")
        if not equals or name not in {fact.value for fact in Fact}:
            raise ValueError(f"{part.strip()!r} is none of complaints=1, unsubscribes=3, errors=1")
        limits[Fact(name)] = Limit.parse(limit)
    return limits
