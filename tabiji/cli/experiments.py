"""Commands about experiments: what they say, and decisions."""

from __future__ import annotations

from typing import Annotated

import typer

from tabiji.cli.common import settings

app = typer.Typer(help="Experiments: splits, tests of content, holdouts.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Its name.")]


@app.command("list")
def experiment_list() -> None:
    """Show all that have begun."""
    from tabiji.desk.experiments import show_experiments
    from tabiji.desk.look import Api

    with Api(settings()) as asked:
        show_experiments(asked)


@app.command("show")
def experiment_show(name: Name) -> None:
    """Show what one says, and what to do next. Looking often spoils nothing."""
    from tabiji.desk.experiments import show_experiment
    from tabiji.desk.look import Api

    with Api(settings()) as asked:
        show_experiment(asked, name)


@app.command("decide")
def experiment_decide(
    name: Name,
    arm: Annotated[str | None, typer.Argument(help="Who has no arm yet gets this one.")] = None,
    by: Annotated[str | None, typer.Option(help="Who decides; the key's name where it is not said.")] = None,
    note: Annotated[str | None, typer.Option(help="Why.")] = None,
    reopen: Annotated[bool, typer.Option("--reopen", help="Take a decision back: people are drawn again.")] = False,
) -> None:
    """Decide for an arm, whatever the figures say, or take a decision back. Who has an arm keeps it."""
    from tabiji.desk.experiments import decide
    from tabiji.desk.look import Api

    if (arm is None) != reopen:
        raise typer.BadParameter("name an arm, or say --reopen", param_hint="ARM")
    with Api(settings()) as asked:
        decide(asked, name, arm, by=by, note=note)
