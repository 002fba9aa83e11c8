"""The commands ops steer with. Imported with the command line: nothing here may be slow to import."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from tabiji.desk.look import Api
    from tabiji.desk.steer import Order
    from tabiji.settings import Settings

Everything: TypeAlias = Annotated[bool, typer.Option("--everything", help="Everybody, in every journey.")]
OfJourney: TypeAlias = Annotated[str | None, typer.Option("--journey", help="Everybody in this journey.")]
OfContact: TypeAlias = Annotated[
    str | None, typer.Option("--contact", metavar="EMAIL|ID", help="One person, in every journey.")
]
OfEnrollment: TypeAlias = Annotated[
    str | None, typer.Option("--enrollment", metavar="ID", help="One person in one journey: journey/contact/number.")
]
WaitingFor: TypeAlias = Annotated[
    str | None, typer.Option(metavar="EVENT", help="Only those who wait for this event now.")
]
Reason: TypeAlias = Annotated[str | None, typer.Option(help="Why, for those who look later.")]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Rate: TypeAlias = Annotated[float, typer.Option(min=1, max=1000, help="Enrollments a second, at most.")]
Name: TypeAlias = Annotated[str, typer.Argument(help="Name of the journey.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (stop, go, pauses, pause, resume, skip, cancel, golive, close, draft):
        app.command()(command)


def stop(reason: Reason = None) -> None:
    """Stop all sending at once, without asking: journeys, broadcasts, webhooks. `tabiji go` ends it."""
    from tabiji.desk.steer import stop_everything

    stop_everything(_settings(), reason)


def go(
    *,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not watch how they go on.")] = False,
) -> None:
    """End `tabiji stop`: whoever it held goes on at a rate. What else is paused stays paused."""
    from tabiji.desk.steer import Order
    from tabiji.desk.steer import resume as run

    with _api() as api:
        _or_fail(run(api, Order(everything=True), wait=not no_wait))


def pauses() -> None:
    """Show what is paused, by whom and why, and how many people it holds."""
    from tabiji.desk.steer import show_pauses

    with _api() as api:
        show_pauses(api)


def pause(
    *,
    everything: Everything = False,
    journey: OfJourney = None,
    contact: OfContact = None,
    enrollment: OfEnrollment = None,
    waiting_for: WaitingFor = None,
    reason: Reason = None,
    yes: Yes = False,
) -> None:
    """Stop what goes out, at once; waits go on and events count. `--everything` is the emergency stop."""
    from tabiji.desk.steer import pause as run

    order = _order(journey, contact, enrollment, waiting_for, everything=everything, reason=reason)
    with _api() as api:
        _or_fail(run(api, order, _agreed(yes)))


def resume(
    *,
    everything: Everything = False,
    journey: OfJourney = None,
    contact: OfContact = None,
    enrollment: OfEnrollment = None,
    waiting_for: WaitingFor = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not watch how they go on.")] = False,
) -> None:
    """End a pause: those it held go on at a rate."""
    from tabiji.desk.steer import resume as run

    order = _order(journey, contact, enrollment, waiting_for, everything=everything)
    with _api() as api:
        _or_fail(run(api, order, wait=not no_wait))


def skip(
    *,
    everything: Everything = False,
    journey: OfJourney = None,
    contact: OfContact = None,
    enrollment: OfEnrollment = None,
    waiting_for: WaitingFor = None,
    step: Annotated[str | None, typer.Option(help="Of one enrollment: the step that waits; absent: every one.")] = None,
    rate: Rate = 50,
    reason: Reason = None,
    yes: Yes = False,
) -> None:
    """End the wait that is open now, as if its time were up."""
    from tabiji.desk.steer import tell

    order = _order(journey, contact, enrollment, waiting_for, everything=everything, reason=reason)
    with _api() as api:
        _or_fail(tell(api, "skip", order, _agreed(yes), step=step, rate=rate))


def cancel(
    *,
    everything: Everything = False,
    journey: OfJourney = None,
    contact: OfContact = None,
    enrollment: OfEnrollment = None,
    waiting_for: WaitingFor = None,
    rate: Rate = 50,
    reason: Reason = None,
    yes: Yes = False,
) -> None:
    """Take people out of their journey. What has begun is finished; nothing new begins."""
    from tabiji.desk.steer import tell

    order = _order(journey, contact, enrollment, waiting_for, everything=everything, reason=reason)
    with _api() as api:
        _or_fail(tell(api, "cancel", order, _agreed(yes), rate=rate))


def golive(
    name: Name,
    *,
    pilot: Annotated[str | None, typer.Option(metavar="10|5%", help="Only the first so many, or a share.")] = None,
    people: Annotated[str | None, typer.Option(metavar="A@X,B@Y", help="Only these: addresses or contact ids.")] = None,
    stop_on: Annotated[
        str | None,
        typer.Option(
            metavar="FACT=LIMIT,…",
            help="What stops a pilot, e.g. unsubscribes=5%; absent: complaints=1,unsubscribes=3,errors=1.",
        ),
    ] = None,
    enter: Annotated[
        bool | None, typer.Option("--enter/--no-enter", help="Whether people who match already enter now. Absent: ask.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Of those, people a second.")] = 5,
    reason: Reason = None,
    yes: Yes = False,
) -> None:
    """Let people into a journey; says first how many it will reach."""
    from tabiji.desk.launch import GoLive
    from tabiji.desk.launch import golive as run

    # Who agrees to everything beforehand has said nothing of people whose moment is over.
    entering = False if enter is None and yes else enter
    asked = GoLive(name, pilot, people, stop_on, entering, rate, reason)
    with _api() as api:
        _or_fail(run(api, asked, _agreed(yes)))


def close(name: Name, reason: Reason = None) -> None:
    """Let nobody new into a journey; who is inside goes to its end."""
    from tabiji.desk.launch import set_state

    with _api() as api:
        set_state(api, name, "closing", reason)


def draft(name: Name, reason: Reason = None) -> None:
    """Make a journey a draft again: nobody but test contacts enters."""
    from tabiji.desk.launch import set_state

    with _api() as api:
        set_state(api, name, "draft", reason)


def _order(
    *named: str | None,
    everything: bool,
    reason: str | None = None,
) -> Order:
    from tabiji.desk.steer import Order

    journey, contact, enrollment, waiting_for = named
    return Order(everything, journey, contact, enrollment, waiting_for, reason)


def _agreed(yes: bool) -> Callable[[str], bool]:
    return lambda question: yes or typer.confirm(question)


def _or_fail(done: bool) -> None:
    if not done:
        raise typer.Exit(1)


def _settings() -> Settings:
    from tabiji.settings import load

    return load()


def _api() -> Api:
    from tabiji.desk.look import Api

    return Api(_settings())
