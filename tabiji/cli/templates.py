"""Commands about templates of mails."""

from __future__ import annotations

from typing import Annotated

import typer

from tabiji.cli.common import settings

app = typer.Typer(help="Templates of mails: check them, look at them, send yourself one.", no_args_is_help=True)


@app.command("list")
def list_templates() -> None:
    """List the templates of mails."""
    from tabiji.desk.mails.check import names_in

    for name in names_in(settings().templates / "email"):
        typer.echo(name)


@app.command("check")
def check_templates(
    names: Annotated[list[str] | None, typer.Argument(help="Some of them, e.g. whitepaper/welcome. None: all.")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="The findings as data.")] = False,
) -> None:
    """Render templates for all sorts of people and say what is wrong. Exit code 1: something is.

    Looks for variables that are not set, pictures without alt text, a missing way out, links that are not safe, an
    empty subject, and mails that Gmail would cut off.
    """
    from pydantic_core import to_json

    from tabiji.desk.application import here
    from tabiji.desk.mails.check import Checker
    from tabiji.journey.check.templates import topics_of_templates
    from tabiji.journey.discovery import discover, discover_topics

    here()
    checker = Checker(settings(), discover_topics(), topics_of_templates(discover()))
    found = checker.check(names or ())
    if json:
        typer.echo(to_json(found, indent=2).decode())
    else:
        for one in found:
            typer.echo(str(one))
        typer.echo(f"{len(found)} error{'s' * (len(found) != 1)}." if found else "Nothing found.", err=True)
    if found:
        raise typer.Exit(1)
