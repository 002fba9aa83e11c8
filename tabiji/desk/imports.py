"""`tabiji import`: reads a file, shows how far it is, and says what was met."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tabiji.desk.csv_files import Sheet, Source, open_source, read_mapping
from tabiji.desk.importing import Importing, Report, Wanted, Watch, job_for
from tabiji.domain.csv.headers import OURS
from tabiji.domain.csv.mapping import mapped_from
from tabiji.domain.csv.orders import OpenStore, Pair
from tabiji.domain.csv.people import PersonRead

SHOWN = 20
"""Kinds of problems shown in the terminal. The file of errors has all of them."""
ERRORS = (f"{OURS}line", f"{OURS}outcome", f"{OURS}problem")
PAIRS = ("line", "email", "contact", "other line", "other email", "other contact", "likeness", "why")


@dataclass(frozen=True)
class Told:
    """What the command line says about a file. `said` overrides its mapping."""

    file: Path
    mapping: Path | None = None
    said: Mapping[str, Any] = field(default_factory=dict[str, Any])
    errors: Path | None = None
    json: Path | None = None


async def import_file(open_store: OpenStore, told: Told, wanted: Wanted, console: Console | None = None) -> Report:
    """Import a file, or only look at it.

    Raises:
        Refused: The file or its mapping is no good; nothing was written.
    """
    out = console or Console(stderr=True)
    source = open_source(told.file, mapped_from(_merged(read_mapping(told.mapping), told.said)))
    show_plan(source, out)
    errors = told.errors or told.file.with_name(f"{told.file.stem}.errors.csv")
    async with open_store(trigger=wanted.trigger) as store:
        job = await job_for(store, source, wanted)
        if job is not None:
            out.print(f"Import {job.id}. Should it be cut off: --resume {job.id}", soft_wrap=True, highlight=False)
        header = [*ERRORS, *source.plan.headers]
        with Sheet(errors, header, source.dialect) as sheet, _progress(source, out) as watch:
            importing = Importing(source, store, sheet, wanted, watch)
            report = await importing.run(job)
    pairs = told.file.with_name(f"{told.file.stem}.duplicates.csv")
    write_pairs(pairs, source, report, importing.people)
    if told.json is not None:
        told.json.write_text(json.dumps(as_json(report, wanted), ensure_ascii=False, indent=2), encoding="utf-8")
    show_report(report, wanted, out, errors=errors, pairs=pairs)
    return report


def show_plan(source: Source, out: Console) -> None:
    """Print how a file is read."""
    names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
    delimiter = names.get(source.dialect.delimiter, repr(source.dialect.delimiter))
    out.print(f"{escape(source.path.name)}: {source.dialect.encoding}, {delimiter}", highlight=False)
    table = Table("column", "becomes", "read as")
    for target in source.plan.targets:
        table.add_row(escape(target.header), escape(target.to), target.kind)
    out.print(table)
    for note in source.plan.notes:
        out.print(escape(note), highlight=False)


def show_report(report: Report, wanted: Wanted, out: Console, *, errors: Path, pairs: Path) -> None:
    """Print what was met and done."""
    verb = "would be imported" if wanted.dry_run else "imported"
    out.print(
        f"{report.lines} lines: {report.people} {verb} ({report.new} new, {report.known} known already, "
        f"{report.again} again in this file), {report.refused} left out.",
        highlight=False,
        soft_wrap=True,
    )
    if report.problems:
        table = Table("lines", "field", "problem")
        for (name, reason), count in report.problems.most_common(SHOWN):
            table.add_row(str(count), escape(name), escape(reason))
        out.print(table)
        out.print(f"Line by line: {errors}", highlight=False, soft_wrap=True)
    if report.pairs:
        kept = f"{report.new_pairs} new on the list: tabiji duplicates. " if not wanted.dry_run else ""
        out.print(
            f"{len(report.pairs)} pairs may be one person each; nobody was merged. {kept}See {pairs}",
            highlight=False,
            soft_wrap=True,
        )
    if wanted.dry_run:
        out.print("Nothing was written: leave out --dry-run to import.")


def as_json(report: Report, wanted: Wanted) -> dict[str, Any]:
    """The report for a program."""
    return {
        "import": str(report.job) if report.job else None,
        "dry_run": wanted.dry_run,
        **{name: getattr(report, name) for name in ("lines", "people", "new", "known", "again", "refused")},
        "problems": [
            {"field": name, "reason": reason, "lines": count} for (name, reason), count in report.problems.most_common()
        ],
        "duplicates": [asdict(pair) for pair in report.pairs],
    }


def write_pairs(path: Path, source: Source, report: Report, people: Mapping[str, PersonRead]) -> None:
    """Write who may be who, for somebody to look at."""
    with Sheet(path, PAIRS, source.dialect) as sheet:
        for pair in report.pairs:
            mine, theirs = sorted((pair.one, pair.other), key=lambda who: who not in people)
            cells = [*_side(mine, people, pair), *_side(theirs, people, pair)]
            sheet.add([*cells, f"{pair.score:.2f}", "; ".join(pair.reasons)])


def _side(who: str, people: Mapping[str, PersonRead], pair: Pair) -> list[str]:
    person = people.get(who)
    contact = "" if who.startswith("line ") else who
    if person is None:
        return ["", pair.email if who == pair.found else "", contact]
    return [str(person.line), person.email or person.user_id or "", contact]


def _merged(document: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(document)
    for name, value in said.items():
        if value in (None, [], False):
            continue
        merged[name] = [*merged.get(name, []), *value] if isinstance(value, list) else value
    return merged


@contextmanager
def _progress(source: Source, out: Console) -> Generator[Watch]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("importing", total=source.size)

        def watch(position: int, report: Report) -> None:
            progress.update(bar, completed=position, description=f"{report.people} people")

        yield watch


def parsed_id(text: str | None) -> UUID | None:
    """The id of an import as somebody typed it.

    Raises:
        UnknownImport: It is none.
    """
    from tabiji.errors import UnknownImport

    try:
        return UUID(text) if text else None
    except ValueError:
        raise UnknownImport(text) from None
