"""Commands for those who write journeys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tabiji.cli.common import asked_of, settings

app = typer.Typer()


@app.command()
def journeys(
    name: Annotated[str | None, typer.Argument(help="One of them: its state, its pilot, who has changed it.")] = None,
) -> None:
    """List the journeys here, with their state and how many people are inside where the API answers.

    Says what is wrong when one cannot be loaded.
    """
    from tabiji.desk.application import load
    from tabiji.desk.launch import show_journeys, show_state
    from tabiji.journey.discovery import discover

    if name is not None:
        from tabiji.desk.look import Api

        with Api(settings()) as asked:
            show_state(asked, name)
        return
    load("workflows")
    show_journeys({journey.spec.name: journey.spec.title for journey in discover()}, asked_of("/v1/journeys"))
    load("worker")
    load("api.app")


@app.command("map")
def draw_map(
    name: Annotated[str | None, typer.Argument(help="A journey. None: all are listed.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The map as data instead of Mermaid.")] = False,
) -> None:
    """Draw a journey from its source, without running it."""
    from tabiji.desk.application import load
    from tabiji.errors import UnknownJourney
    from tabiji.journey.discovery import discover
    from tabiji.journey.map import mermaid, read_map

    load("workflows")
    found = {journey.spec.name: journey for journey in discover()}
    if name is None:
        for one in found.values():
            typer.echo(f"{one.spec.name:32} {one.spec.title}")
        return
    if name not in found:
        raise UnknownJourney(name, tuple(found))
    graph = read_map(found[name])
    typer.echo(graph.model_dump_json(indent=2) if json else mermaid(graph), nl=json)


@app.command("check")
def check_journeys(
    json: Annotated[bool, typer.Option("--json", help="The findings as data.")] = False,
) -> None:
    """Find what would go wrong with journeys, before anything runs. Exit code 1: there are errors."""
    from pydantic_core import to_json

    from tabiji.desk.application import here
    from tabiji.journey.check import Severity, check

    templates = settings().templates / "email"
    here()
    found = check(templates=templates if templates.is_dir() else None)
    errors = sum(one.severity is Severity.ERROR for one in found)
    if json:
        typer.echo(to_json(found, indent=2).decode())
    else:
        for one in found:
            typer.echo(str(one))
        warnings = len(found) - errors
        counted = f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}."
        typer.echo(counted if found else "Nothing found.", err=True)
    if errors:
        raise typer.Exit(1)


@app.command()
def simulate(
    journey: Annotated[str, typer.Argument(help="Its name, as `tabiji journeys` lists it.")],
    *,
    people: Annotated[int | None, typer.Option(help="How many are invented.", min=1)] = None,
    behaviour: Annotated[Path | None, typer.Option(help="A TOML file of chances, see docs/simulation.md.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed, the same people.")] = None,
    events: Annotated[Path | None, typer.Option(help="Recorded events instead, one JSON object a line.")] = None,
    days: Annotated[int, typer.Option(help="How long they are followed.", min=1)] = 400,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Play a journey before launch: time is skipped, nobody is mailed. Shows ways, sends and the longest way."""
    from datetime import UTC, datetime, timedelta

    import rich.progress

    from tabiji.desk.application import load
    from tabiji.journey.discovery import discover
    from tabiji.simulation import command
    from tabiji.simulation.behaviour import Behaviour, read_behaviour
    from tabiji.simulation.report import in_lines

    load("workflows")
    given = read_behaviour(behaviour) if behaviour is not None else Behaviour()
    turned = {name: value for name, value in (("people", people), ("seed", seed)) if value is not None}
    with rich.progress.Progress(console=rich.console.Console(stderr=True), transient=True) as bar:
        task = bar.add_task(journey, total=None)
        found = command.run(
            discover(),
            journey,
            behaviour=given.model_copy(update=turned),
            events=events,
            begins=datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0),
            horizon=timedelta(days=days),
            templates=settings().templates / "email",
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    typer.echo(found.model_dump_json(indent=2) if as_json else "\n".join(in_lines(found)))


@app.command()
def new(directory: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")]) -> None:
    """Write a complete project: journeys, activities, API, tables, templates."""
    from tabiji.scaffold import create

    written = create(directory)
    typer.echo(f"{len(written)} files written. Now: cd {directory} && tabiji up")
