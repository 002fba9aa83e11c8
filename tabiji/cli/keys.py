"""Commands that make and revoke access keys."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tabiji.cli.common import settings

app = typer.Typer(help="Access keys of the API.", no_args_is_help=True)


@app.command("create")
def key_create(
    name: Annotated[str, typer.Argument(help="Who uses it, e.g. 'web shop'.")],
    scope: Annotated[
        Literal["ingest", "full"], typer.Option(help="ingest sends events; full also reads and steers.")
    ] = "ingest",
) -> None:
    """Make a key and print it. It is not shown again."""
    from tabiji.desk.application import with_keys

    typer.echo(with_keys(settings(), lambda keys, database: keys.create_key(database, name, scope)))


@app.command("list")
def key_list() -> None:
    """Show all keys, without the keys themselves."""
    from tabiji.desk.application import with_keys
    from tabiji.desk.look import show_keys

    show_keys(with_keys(settings(), lambda keys, database: keys.list_keys(database)))


@app.command("revoke")
def key_revoke(name: Annotated[str, typer.Argument(help="The name it was made with.")]) -> None:
    """Refuse a key from now on."""
    from tabiji.desk.application import with_keys

    if not with_keys(settings(), lambda keys, database: keys.revoke_key(database, name)):
        typer.echo(f"tabiji: no key called {name!r} is in force. `tabiji key list` shows them.", err=True)
        raise typer.Exit(1)
