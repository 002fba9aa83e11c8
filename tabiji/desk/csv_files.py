"""CSV files on disk: how one is written, its records, and the reports beside it."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tabiji.domain.csv.detect import Dialect, NotACsv, delimiter_of, encoding_of
from tabiji.domain.csv.mapping import BadMapping, Mapped, Plan, mapped_from, plan_of
from tabiji.domain.csv.rows import Row, read_rows
from tabiji.domain.csv.write import written
from tabiji.errors import ConfigurationError

CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """A file, and how it is read."""

    path: Path
    dialect: Dialect
    plan: Plan
    digest: str
    size: int

    def rows(self) -> Iterator[tuple[Row, int]]:
        """Its records, without header and empty ones, each with how many bytes of the file have been read."""
        with self.path.open("rb") as raw, _text(raw, self.dialect.encoding) as text:
            for row in islice(_telling(read_rows(text, self.dialect.delimiter)), 1, None):
                yield row, raw.tell()


def open_source(path: Path, mapped: Mapped) -> Source:
    """Look at a file: its encoding, its delimiter, and what becomes of each column.

    Raises:
        ConfigurationError: It cannot be read.
        NotACsv: It is something else, or empty.
        BadMapping: The mapping does not fit it.
    """
    digest = hashlib.sha256()
    try:
        encoding = known_encoding(mapped.encoding) if mapped.encoding else encoding_of(_chunks(path))
        for chunk in _chunks(path):
            digest.update(chunk)
        size = path.stat().st_size
        with path.open("rb") as raw, _text(raw, encoding) as text:
            delimiter = mapped.delimiter or delimiter_of(islice(text, 200))
        with path.open("rb") as raw, _text(raw, encoding) as text:
            header = next(_telling(read_rows(text, delimiter)), None)
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}.") from error
    if header is None:
        raise NotACsv(f"{path.name} is empty: a first line with the names of the columns is needed.")
    if header.problem is not None:
        raise NotACsv(f"{path.name}, line {header.line}: {header.problem}.")
    return Source(path, Dialect(encoding, delimiter), plan_of(header.cells, mapped), digest.hexdigest(), size)


def read_mapping(path: Path | None) -> dict[str, Any]:
    """A mapping file, TOML or JSON.

    Raises:
        BadMapping: It is neither.
    """
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
        document: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}.") from error
    except (json.JSONDecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadMapping(f"{path.name} is no {'JSON' if path.suffix == '.json' else 'TOML'}: {error}.") from None
    mapped_from(document)
    return dict(document)


class Sheet:
    """A report written line by line; the file is there from the first line on, and not before."""

    def __init__(self, path: Path, header: Sequence[str], dialect: Dialect) -> None:
        self.path = path
        self.lines = 0
        self._header = header
        self._dialect = dialect
        self._encoding = "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding
        self._out: Any = None

    def add(self, cells: Sequence[str]) -> None:
        """One more line."""
        if self._out is None:
            # What could not be read goes back as the bytes it was.
            self._out = self.path.open("w", encoding=self._encoding, errors="surrogateescape", newline="")
            self.path.chmod(0o600)
            self._write(self._header)
        self._write(cells)
        self.lines += 1

    def _write(self, cells: Sequence[str]) -> None:
        self._out.write(written((self._writable(cell) for cell in cells), self._dialect.delimiter))

    def _writable(self, cell: str) -> str:
        try:
            cell.encode(self._encoding, "surrogateescape")
        except UnicodeEncodeError:
            return cell.encode(self._encoding, "replace").decode(self._encoding)
        return cell

    def __enter__(self) -> Self:
        """Use it in a `with`. A report of an earlier run is gone from here on."""
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Everything is on disk."""
        if self._out is not None:
            self._out.close()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as raw:
        while chunk := raw.read(CHUNK):
            yield chunk


def _text(raw: BufferedReader, encoding: str) -> TextIOWrapper:
    """A file as text that knows no line ends but those of CSV; what is no character in it comes back as it was."""
    return TextIOWrapper(raw, encoding=encoding, errors="surrogateescape", newline="")


def _telling(rows: Iterator[Row]) -> Iterator[Row]:
    return (row for row in rows if not row.empty)


def known_encoding(encoding: str) -> str:
    """An encoding by the name Python has for it.

    Raises:
        ConfigurationError: There is none of that name.
    """
    import codecs

    names = {"shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "ms932": "cp932", "windows-31j": "cp932"}
    try:
        return names.get(encoding.lower()) or codecs.lookup(encoding).name
    except LookupError:
        raise ConfigurationError(f"no encoding {encoding!r}. Common: utf-8, cp932, utf-16, cp1252, euc_jp.") from None
