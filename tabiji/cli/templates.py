"""Commands about templates of mails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tabiji.cli.common import settings

if TYPE_CHECKING:
    from tabiji.desk.mails.check import Checker

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

    found = _checker().check(names or ())
    if json:
        typer.echo(to_json(found, indent=2).decode())
    else:
        for one in found:
            typer.echo(str(one))
        typer.echo(f"{len(found)} error{'s' * (len(found) != 1)}." if found else "Nothing found.", err=True)
    if found:
        raise typer.Exit(1)


@app.command()
def preview(
    port: Annotated[int, typer.Option(help="Of the page, on this machine alone.", min=1, max=65535)] = 8026,
) -> None:
    """Show templates in the browser: wide and narrow, for anybody, again at every save. Ctrl-C ends it."""
    from tabiji.desk.mails.preview import serve

    loaded = settings()
    checker = _checker()
    typer.echo(f"Templates at http://127.0.0.1:{port}/")
    serve(loaded, checker.topics, checker.sent, port=port)


@app.command()
def send(
    name: Annotated[str, typer.Argument(help="The template, e.g. whitepaper/welcome.")],
    *,
    to: Annotated[str, typer.Option(help="Your own address: the mail goes there, and nowhere else.")],
    person: Annotated[str, typer.Option("--as", help="As whom: a contact's address, or an invented person.")] = "ann",
    variant: Annotated[str | None, typer.Option(help="The arm of a test of content.")] = None,
) -> None:
    """Send yourself a mail as a test, as it would look for somebody else. Nothing in it is counted."""
    import asyncio

    from tabiji.desk.mails.send import as_test
    from tabiji.desk.mails.send import send as hand_over
    from tabiji.desk.mails.whom import somebody

    checker = _checker()
    whom = somebody(checker.settings, checker.people(name), person)
    said = asyncio.run(hand_over(checker.settings, as_test(checker, name, whom, to=to, variant=variant)))
    typer.echo(f"Sent {name} as {whom.name} to {to}: {said}")


def _checker() -> Checker:
    from tabiji.desk.application import here
    from tabiji.desk.mails.check import Checker
    from tabiji.journey.check.templates import topics_of_templates
    from tabiji.journey.discovery import discover, discover_topics

    here()
    return Checker(settings(), discover_topics(), topics_of_templates(discover()))
