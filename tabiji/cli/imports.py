"""Commands that take people in from files, give them out, and settle who is who."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tabiji.cli.common import settings

app = typer.Typer()


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV: UTF-8, CP932 (Shift_JIS) or UTF-16; comma, semicolon or tab.")],
    *,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="What its columns mean, TOML or JSON; else their titles say it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="The whole report, and nothing written.")] = False,
    resume: Annotated[str | None, typer.Option(metavar="ID", help="Go on with an import that was cut off.")] = None,
    trigger: Annotated[
        bool, typer.Option("--trigger", help="Let what it changes set journeys going; without it, nothing does.")
    ] = False,
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="People a second at most; with --trigger TABIJI_ENTER_RATE.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of the file, where it is not recognised.")] = None,
    region: Annotated[str | None, typer.Option(help="Country of telephone numbers that name none, e.g. JP.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="For everybody in the file.")] = None,
    in_list: Annotated[list[str] | None, typer.Option("--list", help="For everybody in the file.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Leave out whole lines, not only faulty fields.")] = False,
    no_compare: Annotated[bool, typer.Option("--no-compare", help="Do not look for people who are alike.")] = False,
    errors: Annotated[Path | None, typer.Option(help="Where lines with problems go; else beside the file.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the report as JSON.")] = None,
) -> None:
    """Take people in from a CSV file. What cannot be kept is written to a file of errors, with the reason."""
    import asyncio

    from tabiji.desk.application import load
    from tabiji.desk.importing import Wanted
    from tabiji.desk.imports import Told, import_file, parsed_id

    # Whoever answers web apps on this machine goes first.
    os.nice(5)
    loaded = settings("import")
    said = {
        "encoding": encoding,
        "region": region,
        "tags": tag or [],
        "lists": in_list or [],
        "strict": strict,
    }
    wanted = Wanted(
        dry_run, trigger, rate or (loaded.enter_rate if trigger else None), parsed_id(resume), not no_compare
    )
    opened = partial(load("models.imports").open_store, loaded)
    report = asyncio.run(import_file(opened, Told(file, mapping, said, errors, json), wanted))
    if report.refused and not report.people:
        raise typer.Exit(1)


@app.command()
def imports() -> None:
    """List the imports, how far each is, and how it went."""
    from tabiji.desk.look import Api
    from tabiji.desk.people_files import show_imports

    with Api(settings()) as asked:
        show_imports(asked)


duplicates = typer.Typer(help="Pairs of contacts who may be one person: nobody is merged until somebody says so.")


@duplicates.callback(invoke_without_command=True)
def _list(context: typer.Context) -> None:
    """List the pairs that are open, the likeliest first, with why."""
    if context.invoked_subcommand is not None:
        return
    from tabiji.desk.look import Api
    from tabiji.desk.people_files import show_duplicates

    with Api(settings()) as asked:
        show_duplicates(asked)


@duplicates.command("accept")
def duplicates_accept(pair: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """Make one contact of the two. It cannot be taken back."""
    from tabiji.desk.look import Api
    from tabiji.desk.people_files import settle

    with Api(settings()) as asked:
        settle(asked, pair, "same")


@duplicates.command("dismiss")
def duplicates_dismiss(pair: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """Say that they are two people: the pair is not asked about again."""
    from tabiji.desk.look import Api
    from tabiji.desk.people_files import settle

    with Api(settings()) as asked:
        settle(asked, pair, "different")


export = typer.Typer(help="Give people out as a file.", no_args_is_help=True)


@export.command("contacts")
def export_contacts(
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write.")],
    where: Annotated[
        list[str] | None, typer.Option(metavar="tag=NAME|list=NAME", help="Only these; several: all of it holds.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Between commas: email, user_id, tags, attributes.plan …; else all there are.")
    ] = None,
    encoding: Annotated[
        str, typer.Option(help="utf-8-sig opens in Excel; cp932 in older Japanese programs.")
    ] = "utf-8-sig",
    delimiter: Annotated[str, typer.Option(help="Between columns.")] = ",",
) -> None:
    """Write contacts to a CSV file that imports again to the same. No cell is a formula to a spreadsheet."""
    import asyncio

    from tabiji.desk.application import load
    from tabiji.desk.people_files import Exported, export_to

    wanted = Exported(out, tuple(where or ()), _split(columns), encoding, delimiter)
    opened = partial(load("models.exports").open_export, settings("export"))
    written = asyncio.run(export_to(opened, wanted))
    typer.echo(f"{written} contacts in {out}")


def _split(columns: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (columns or "").split(",") if name.strip())
