"""Commands that write the beginning of a journey."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="One journey of the project in this folder.", no_args_is_help=True)


@app.command("new")
def journey_new(
    name: Annotated[str, typer.Argument(help="Lower-case words joined by hyphens, e.g. trial-nurture.")],
) -> None:
    """Write a journey that runs, with its mails and its test. Nothing that is there is overwritten."""
    from tabiji.draft import write_journey

    for file in write_journey(name, Path()):
        typer.echo(file)
