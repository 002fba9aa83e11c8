"""Commands that make, rotate and revoke access keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import typer

from tabiji.cli.common import settings

app = typer.Typer(help="Access keys of the API.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The name it was made with.")]


@app.command("create")
def key_create(
    name: Annotated[str, typer.Argument(help="Who uses it, e.g. 'web shop'.")],
    scope: Annotated[
        Literal["browser", "write", "read", "admin"],
        typer.Option(
            help="browser: track, page, screen, identify, from pages; write: all that comes in; read: look; admin: all."
        ),
    ] = "write",
    origin: Annotated[
        list[str] | None,
        typer.Option(help="A page a browser key may be used from, e.g. https://shop.example.com. Absent: any."),
    ] = None,
) -> None:
    """Make a key and print it. It is not shown again."""
    from tabiji.desk.application import with_keys

    typer.echo(with_keys(settings(), lambda keys, database: keys.create_key(database, name, scope, origin or ())))
    if scope == "browser":
        typer.echo(f"Its user secret, for your server alone: {_secret(name)}", err=True)


@app.command("rotate")
def key_rotate(
    name: Name,
    grace: Annotated[str, typer.Option(help="How long the old one stays good, e.g. 24h; 0h: not at all.")] = "24h",
) -> None:
    """Make a new key of the same name and scope, and print it. The old one is good until the grace is over."""
    from tabiji.desk.application import with_keys

    span = _span(grace)
    typer.echo(with_keys(settings(), lambda keys, database: keys.rotate_key(database, name, span)))


@app.command("secret")
def key_secret(name: Name) -> None:
    """Print what your server signs user ids with for a browser key. It outlives rotation."""
    from tabiji.desk.application import with_keys

    key = with_keys(settings(), lambda keys, database: keys.key_named(database, name))
    if key is None or key.scope != "browser":
        typer.echo(f"tabiji: no browser key called {name!r} is in force. `tabiji key list` shows them.", err=True)
        raise typer.Exit(1)
    typer.echo(_secret(name))


@app.command("list")
def key_list() -> None:
    """Show all keys, without the keys themselves."""
    from tabiji.desk.application import with_keys
    from tabiji.desk.look import show_keys

    show_keys(with_keys(settings(), lambda keys, database: keys.list_keys(database)))


@app.command("revoke")
def key_revoke(name: Name) -> None:
    """Refuse a key from now on, and the one it has replaced."""
    from tabiji.desk.application import with_keys

    if not with_keys(settings(), lambda keys, database: keys.revoke_key(database, name)):
        typer.echo(f"tabiji: no key called {name!r} is in force. `tabiji key list` shows them.", err=True)
        raise typer.Exit(1)


def _secret(name: str) -> str:
    from tabiji.domain.user_hash import user_secret

    return user_secret(settings().signing_secret, name)


def _span(text: str) -> timedelta:
    from tabiji.domain.durations import parse_duration

    span = parse_duration(text)
    if span is None or not timedelta(0) <= span <= timedelta(days=90):
        raise typer.BadParameter(f"{text!r} is not a time of up to 90 days, e.g. 24h or 7 days", param_hint="--grace")
    return span
