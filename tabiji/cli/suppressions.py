"""Commands for addresses and domains that are not written to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tabiji.cli.common import settings

if TYPE_CHECKING:
    from tabiji.desk.look import Api

app = typer.Typer(help="Suppression: which addresses and domains are not written to, and why.", no_args_is_help=True)
Value = Annotated[str, typer.Argument(help="An address, or a domain such as example.com with those below it.")]
Reason = Annotated[
    str | None, typer.Option(help="hard_bounce, complaint, soft_bounces, manual or domain; absent: any.")
]


@app.command("list")
def suppress_list(
    value: Annotated[str | None, typer.Argument(help="Only this address or domain.")] = None,
    reason: Reason = None,
    all: Annotated[bool, typer.Option("--all", help="Also what was lifted, or has ended by itself.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
) -> None:
    """Show who is not written to: since when, why, and what said so."""
    from tabiji.desk.suppressions import show_suppressions

    with _api() as api:
        show_suppressions(api, value, reason=reason, over=all, limit=limit)


@app.command("add")
def suppress_add(
    value: Value,
    note: Annotated[str | None, typer.Option(help="Why, for those who look later.")] = None,
    marketing: Annotated[
        bool, typer.Option("--marketing", help="Stop marketing alone, not what they have asked for.")
    ] = False,
    until: Annotated[str | None, typer.Option(help="When it ends by itself: 2027-01-31T00:00:00Z.")] = None,
) -> None:
    """Write to an address, or to a domain, no more."""
    from tabiji.desk.suppressions import add_suppression

    with _api() as api:
        add_suppression(api, value, note=note, transactional=not marketing, until=until)


@app.command("remove")
def suppress_remove(value: Value, reason: Reason = None) -> None:
    """Allow writing to an address or a domain again. Exit code 1: it was not on the list."""
    from tabiji.desk.suppressions import lift_suppression

    with _api() as api:
        if not lift_suppression(api, value, reason=reason):
            raise typer.Exit(1)


@app.command("import")
def suppress_import(
    file: Annotated[
        Path, typer.Argument(help="CSV: a column email, address, domain or value; reason and note if any.")
    ],
    reason: Annotated[
        str | None, typer.Option(help="Of lines that say none; manual, or domain, where not given.")
    ] = None,
) -> None:
    """Take over a list from elsewhere. Doing it again changes nothing."""
    from tabiji.desk.suppressions import import_suppressions

    with _api() as api:
        import_suppressions(api, file, reason=reason)


@app.command("export")
def suppress_export(
    file: Annotated[Path | None, typer.Argument(help="Where to write; standard output, where not given.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Also what was lifted, or has ended by itself.")] = False,
) -> None:
    """Write the list as CSV, as `import` takes it."""
    from tabiji.desk.suppressions import export_suppressions

    with _api() as api:
        export_suppressions(api, file, over=all)


def _api() -> Api:
    from tabiji.desk.look import Api

    return Api(settings())
