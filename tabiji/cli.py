"""`tabiji`: the desk, the production processes, and what ops ask.

Imports are late: `tabiji --help` is quick, and no command loads what another needs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from tabiji.desk import control_commands

if TYPE_CHECKING:
    from tabiji.settings import Settings

app = typer.Typer(
    name="tabiji",
    help="Marketing automation as code, on Temporal. Settings are TABIJI_… variables, read from .env too.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
key_app = typer.Typer(help="Access keys of the API.", no_args_is_help=True)
app.add_typer(key_app, name="key")
param_app = typer.Typer(help="Values that authors have opened to be turned.", no_args_is_help=True)
app.add_typer(param_app, name="param")
journey_app = typer.Typer(help="One journey of the project in this folder.", no_args_is_help=True)
app.add_typer(journey_app, name="journey")


@app.callback(invoke_without_command=True)
def _tabiji(version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"tabiji {installed('tabiji')}")
        raise typer.Exit


@app.command()
def up() -> None:
    """Start the desk: Temporal, a local inbox, the API and a worker, until Ctrl-C."""
    import asyncio

    from tabiji.desk.up import up as run

    asyncio.run(run(_settings("desk")))


@app.command()
def worker() -> None:
    """Run one worker of the project in this folder."""
    from tabiji.desk.application import load

    load("worker").main()


@app.command()
def api() -> None:
    """Run the API of the project in this folder."""
    import structlog
    import uvicorn

    from tabiji.desk.application import load

    settings = _settings("api")
    create_app = load("api.app").create_app
    structlog.stdlib.get_logger(__name__).info("api.starting", host=settings.api_host, port=settings.api_port)
    # No access log: addresses of people stand in paths and queries.
    uvicorn.run(
        create_app,
        factory=True,
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
    )


@app.command()
def migrate(
    desk_key: Annotated[Path | None, typer.Option(hidden=True, help="Also have a full-scope key in this file.")] = None,
) -> None:
    """Bring the database to the schema this version needs."""
    import asyncio

    from tabiji.desk import application

    async def run() -> None:
        settings = _settings("migrate")
        await application.migrate(settings)
        if desk_key is not None:
            await application.ensure_key(settings, desk_key)

    asyncio.run(run())


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

        with Api(_settings()) as asked:
            show_state(asked, name)
        return
    load("workflows")
    show_journeys({journey.spec.name: journey.spec.title for journey in discover()}, _asked("/v1/journeys"))
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

    templates = _settings().templates / "email"
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
            templates=_settings().templates / "email",
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    typer.echo(found.model_dump_json(indent=2) if as_json else "\n".join(in_lines(found)))


@app.command()
def new(directory: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")]) -> None:
    """Write a complete project: journeys, activities, API, tables, templates."""
    from tabiji.scaffold import create

    written = create(directory)
    typer.echo(f"{len(written)} files written. Now: cd {directory} && tabiji up")


@journey_app.command("new")
def journey_new(
    name: Annotated[str, typer.Argument(help="Lower-case words joined by hyphens, e.g. trial-nurture.")],
) -> None:
    """Write a journey that runs, with its mails and its test. Nothing that is there is overwritten."""
    from tabiji.draft import write_journey

    for file in write_journey(name, Path()):
        typer.echo(file)


@app.command()
def contact(email: Annotated[str, typer.Argument(help="Their address.")]) -> None:
    """Show where a person is: their journeys, what each waits for, the link into the Temporal UI."""
    from tabiji.desk.look import Api, show_contact

    with Api(_settings()) as asked:
        show_contact(asked, email)


@app.command()
def stuck() -> None:
    """Show what does not move: failing workflow tasks, queues nobody polls, late dispatches, overdue timers."""
    from tabiji.desk.look import Api, show_stuck

    with Api(_settings()) as asked:
        if not show_stuck(asked):
            raise typer.Exit(1)


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

    if not show_versions(_at_temporal(), promoted=promote, json=json):
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
    if not show_replay(_at_temporal(), folder, live=live, accept=accept_all, accepted_file=accepted, as_json=json):
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
    if not show_recorded(_at_temporal(), folder, Wanted(enrollments or (), journey or (), sample, keep or ())):
        raise typer.Exit(1)


@app.command()
def events(
    everything: Annotated[bool, typer.Option("--all", help="Also the events tabiji itself declares.")] = False,
) -> None:
    """List the declared events with examples, and what came in otherwise. Nothing of that was dropped."""
    from tabiji.desk.look import Api
    from tabiji.desk.words import show_events

    with Api(_settings()) as asked:
        show_events(asked, everything=everything)


@param_app.command("list")
def param_list() -> None:
    """Show what may be turned, within which bounds, and what is in force."""
    from tabiji.desk.look import Api
    from tabiji.desk.words import show_params

    with Api(_settings()) as asked:
        show_params(asked)


@param_app.command("set")
def param_set(
    name: Annotated[str, typer.Argument(help="Its name.")],
    value: Annotated[str, typer.Argument(help="The new value, e.g. '3 days', 20, yes.")],
    by: Annotated[str | None, typer.Option(help="Who turns it; the key's name where it is not said.")] = None,
) -> None:
    """Turn one, within the bounds its author set."""
    from tabiji.desk.look import Api
    from tabiji.desk.words import set_param

    with Api(_settings()) as asked:
        set_param(asked, name, value, by)


@param_app.command("history")
def param_history(name: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Show who turned it, when, from what to what."""
    from tabiji.desk.look import Api
    from tabiji.desk.words import show_param_history

    with Api(_settings()) as asked:
        show_param_history(asked, name)


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
    if not show_move(_at_temporal(), order, agreed=lambda question: yes or typer.confirm(question)):
        raise typer.Exit(1)


control_commands.add(app)


@key_app.command("create")
def key_create(
    name: Annotated[str, typer.Argument(help="Who uses it, e.g. 'web shop'.")],
    scope: Annotated[
        Literal["ingest", "full"], typer.Option(help="ingest sends events; full also reads and steers.")
    ] = "ingest",
) -> None:
    """Make a key and print it. It is not shown again."""
    from tabiji.desk.application import with_keys

    typer.echo(with_keys(_settings(), lambda keys, database: keys.create_key(database, name, scope)))


@key_app.command("list")
def key_list() -> None:
    """Show all keys, without the keys themselves."""
    from tabiji.desk.application import with_keys
    from tabiji.desk.look import show_keys

    show_keys(with_keys(_settings(), lambda keys, database: keys.list_keys(database)))


@key_app.command("revoke")
def key_revoke(name: Annotated[str, typer.Argument(help="The name it was made with.")]) -> None:
    """Refuse a key from now on."""
    from tabiji.desk.application import with_keys

    if not with_keys(_settings(), lambda keys, database: keys.revoke_key(database, name)):
        typer.echo(f"tabiji: no key called {name!r} is in force. `tabiji key list` shows them.", err=True)
        raise typer.Exit(1)


def _asked(path: str) -> Any:
    """What the API says, or None where there is none to ask."""
    from tabiji.desk.look import Api
    from tabiji.errors import TabijiError

    try:
        with Api(_settings()) as asked:
            return asked.get(path)
    except TabijiError:
        return None


def _settings(process: str | None = None) -> Settings:
    """Read the settings, and set logging up for a process that logs."""
    from tabiji import log
    from tabiji.settings import load

    settings = load()
    if process:
        log.configure(settings.log_level, process=process)
    return settings


def _at_temporal() -> Settings:
    """Settings for a command that speaks to Temporal itself: at a desk its address follows from the port."""
    settings = _settings()
    if settings.environment != "desk":
        return settings
    from tabiji.desk.plan import Plan

    return Plan.make(settings).settings


def main() -> NoReturn:
    """Run the command. Every error we know is one line and exit code 1; everything ends through `end`."""
    from tabiji.errors import TabijiError

    try:
        app()
    except TabijiError as error:
        print(f"tabiji: {error}", file=sys.stderr)
        end(1)
    except SystemExit as leaving:
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
        end(leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None))
    end(0)


def end(code: int) -> NoReturn:
    """Leave without tearing the interpreter down.

    The Temporal SDK's threads may still want the interpreter's lock while it ends, and then abort the process
    (PyGILState_Release). By now all work is done and everything is closed: only the streams need care.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 1  # whoever read it has gone
    os._exit(code)


if __name__ == "__main__":
    main()
