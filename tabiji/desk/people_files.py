"""What the terminal shows of imports and pairs, and the file an export writes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tabiji.desk.csv_files import known_encoding
from tabiji.desk.look import Api, moment
from tabiji.domain.csv.write import written
from tabiji.errors import ConfigurationError, Refused


@dataclass(frozen=True)
class Exported:
    """What is to be written, and where. `where`: tag=NAME or list=NAME."""

    path: Path
    where: Sequence[str] = ()
    columns: Sequence[str] = ()
    encoding: str = "utf-8-sig"
    delimiter: str = ","


class OpenExport(Protocol):
    """Opens the contacts of the project in the current folder, as lines of a table: the header first."""

    def __call__(
        self, *, where: Sequence[str], columns: Sequence[str]
    ) -> AbstractAsyncContextManager[AsyncIterator[list[str]]]:
        """Lines come as they are read; nothing holds them all."""
        ...


async def export_to(opened: OpenExport, wanted: Exported) -> int:
    """Write a file, all of it or nothing. Returns how many contacts are in it.

    Raises:
        Refused: A condition cannot be read, or a character is not in the encoding.
        ConfigurationError: The file cannot be written.
    """
    encoding = known_encoding(wanted.encoding)
    draft = wanted.path.with_name(f".{wanted.path.name}.{os.getpid()}")
    count = -1
    try:
        async with opened(where=wanted.where, columns=wanted.columns) as lines:
            with draft.open("w", encoding=encoding, newline="") as out:
                draft.chmod(0o600)
                async for cells in lines:
                    out.write(written(cells, wanted.delimiter))
                    count += 1
        draft.replace(wanted.path)
    except UnicodeEncodeError as error:
        raise Refused(
            f"{encoding} has no {error.object[error.start : error.start + 1]!r}, which stands in a contact. "
            "Export with --encoding utf-8-sig, which has everything."
        ) from None
    except OSError as error:
        raise ConfigurationError(f"cannot write {wanted.path}: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return count


def show_imports(api: Api, console: Console | None = None) -> None:
    """Print the imports, latest first."""
    out = console or Console()
    answer = api.get("/v1/imports")
    found: list[dict[str, Any]] = answer["imports"] if answer else []
    if not found:
        out.print("Nothing was imported yet: tabiji import FILE.")
        return
    table = Table("import", "file", "state", "lines", "people", "left out", "problems", "begun")
    for one in found:
        counts = (str(one[name]) for name in ("place", "people", "refused", "problems"))
        table.add_row(one["id"], escape(one["name"]), one["state"], *counts, moment(one["recorded_at"]))
    out.print(table)


def show_duplicates(api: Api, console: Console | None = None) -> None:
    """Print pairs, the likeliest first."""
    out = console or Console()
    answer = api.get("/v1/duplicates")
    found: list[dict[str, Any]] = answer["duplicates"] if answer else []
    if not found:
        out.print("No two contacts wait for somebody to say whether they are one.")
        return
    table = Table("pair", "one", "other", "alike", "why")
    for pair in found:
        sides = [escape(_side(side)) for side in pair["contacts"]]
        table.add_row(pair["id"], *sides, f"{pair['score']:.2f}", escape("\n".join(pair["reasons"])))
    out.print(table)
    out.print("tabiji duplicates accept PAIR makes one of them; tabiji duplicates dismiss PAIR leaves them two.")


def settle(api: Api, pair: str, verdict: str, console: Console | None = None) -> None:
    """Say what a pair is."""
    answer = api.post(f"/v1/duplicates/{quote(pair, safe='')}", {"verdict": verdict})
    done = {"merged": "They are one contact now.", "different": "They stay two."}
    (console or Console()).print(done.get(answer["state"], answer["state"]))


def _side(side: dict[str, Any]) -> str:
    told = (str(value) for value in side["attributes"].values())
    return "\n".join([side["email"] or side["id"], *told])
