"""Commands that turn what authors have opened."""

from __future__ import annotations

from typing import Annotated

import typer

from tabiji.cli.common import settings

app = typer.Typer(help="Values that authors have opened to be turned.", no_args_is_help=True)


@app.command("list")
def param_list() -> None:
    """Show what may be turned, within which bounds, and what is in force."""
    from tabiji.desk.look import Api
    from tabiji.desk.words import show_params

    with Api(settings()) as asked:
        show_params(asked)


@app.command("set")
def param_set(
    name: Annotated[str, typer.Argument(help="Its name.")],
    value: Annotated[str, typer.Argument(help="The new value, e.g. '3 days', 20, yes.")],
    by: Annotated[str | None, typer.Option(help="Who turns it; the key's name where it is not said.")] = None,
) -> None:
    """Turn one, within the bounds its author set."""
    from tabiji.desk.look import Api
    from tabiji.desk.words import set_param

    with Api(settings()) as asked:
        set_param(asked, name, value, by)


@app.command("history")
def param_history(name: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Show who turned it, when, from what to what."""
    from tabiji.desk.look import Api
    from tabiji.desk.words import show_param_history

    with Api(settings()) as asked:
        show_param_history(asked, name)
