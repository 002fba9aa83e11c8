"""Commands that bring new code to people under way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tabiji.cli.common import at_temporal

app = typer.Typer()


@app.command()
def versions(
    promote: Annotated[
        str | None,
        typer.Option(metavar="BUILD", help="Let new people begin in this version; `here`: that of the code here."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the versions of the code: who is in them, who works for them, which takes new people."""
    from tabiji.desk.versions import show_versions

    if not show_versions(at_temporal(), promoted=promote, json=json):
        raise typer.Exit(1)


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(help="Recorded histories.")] = Path("tests/histories"),
    live: Annotated[
        int, typer.Option(min=0, help="Also so many people under way, of each journey in each version.")
    ] = 0,
    accept: Annotated[Path | None, typer.Option(help="What was accepted; absent: accepted.toml in the folder.")] = None,
    accept_all: Annotated[bool, typer.Option("--accept-all", help="Write the changes of meaning down there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Check the code here against histories: whose way it would break, and what would mean something else."""
    from tabiji.desk.application import load
    from tabiji.desk.replay import show_replay

    load("workflows")
    accepted = accept or folder / "accepted.toml"
    if not show_replay(at_temporal(), folder, live=live, accept=accept_all, accepted_file=accepted, as_json=json):
        raise typer.Exit(1)


@app.command()
def record(
    enrollments: Annotated[
        list[str] | None, typer.Argument(metavar="[ENROLLMENT]…", help="These; none: a sample of all there are.")
    ] = None,
    journey: Annotated[list[str] | None, typer.Option(help="Only of this one; may be given again.")] = None,
    sample: Annotated[int, typer.Option(min=1, help="So many of each journey and state are looked at.")] = 20,
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A property, attribute or own activity whose values are nobody's."),
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where to.")] = Path("tests/histories"),
) -> None:
    """Keep histories for `tabiji replay`, without anybody in them. One of those who went the same way is enough."""
    from tabiji.desk.application import load
    from tabiji.desk.record import Wanted, show_recorded

    load("workflows")
    if not show_recorded(at_temporal(), folder, Wanted(enrollments or (), journey or (), sample, keep or ())):
        raise typer.Exit(1)


@app.command()
def move(
    journey: Annotated[str | None, typer.Argument(help="Only people of this one.")] = None,
    *,
    origin: Annotated[
        str | None, typer.Option("--from", metavar="BUILD", help="Only people of this version; absent: of all others.")
    ] = None,
    to: Annotated[Literal["current"], typer.Option(help="There is one place to go.")] = "current",
    rate: Annotated[float, typer.Option(min=1, help="People a second, at most.")] = 50,
    check: Annotated[bool, typer.Option("--check", help="Only say what it would mean.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take people under way into the current version; refused where the code here has a step they are past."""
    from tabiji.desk.application import load
    from tabiji.desk.move import Order, show_move

    load("workflows")
    order = Order(journey=journey, origin=origin, rate=rate, only_check=check)
    if not show_move(at_temporal(), order, agreed=lambda question: yes or typer.confirm(question)):
        raise typer.Exit(1)
