"""Which encoding and which delimiter a file has."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tabiji.errors import Refused

ENCODINGS = ("utf-8", "utf-8-sig", "cp932", "utf-16", "cp1252")
"""What is told apart. Others can be named: whatever Python knows."""
DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 30
_PUNCTUATION = b"\x85\x91\x92\x93\x94\x96\x97"
"""Of Windows-1252: dots, quotation marks and dashes."""
_NOT_TEXT = {
    b"PK\x03\x04": "an Excel workbook (.xlsx) or another ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"SQLite format 3": "an SQLite database",
    b"{\\rtf": "a rich text document",
}
_SAVE_AS = "In Excel: File, Save As, 'CSV UTF-8 (comma delimited)'; then import that file."


class NotACsv(Refused):
    """The file is something else than a table in text. Says what, and what to do."""

    code = "not_a_csv"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written."""

    encoding: str
    delimiter: str = ","


def encoding_of(chunks: Iterable[bytes]) -> str:
    """The encoding of a whole file, read once.

    All of it is looked at: a list of thousands may have its first name that is not ASCII on the last line.

    Raises:
        NotACsv: A workbook, an archive, or bytes that are no text in any encoding known here.
    """
    utf8, cp932 = _Trial("utf-8"), _Trial("cp932")
    pairs = _Pairs()
    for first, chunk in _numbered(chunks):
        if first:
            _refuse_what_is_no_text(chunk)
            if (marked := _by_mark(chunk)) is not None:
                return marked
        utf8.take(chunk)
        cp932.take(chunk)
        pairs.take(chunk)
    if utf8.ends():
        return "utf-8"
    # Read as CP932, an accent and the letter behind it are a Chinese character, too.
    if cp932.ends() and pairs.share >= 0.4:
        return "cp932"
    if pairs.share < 0.4:
        return "cp1252"
    if cp932.mostly:
        return "cp932"
    raise NotACsv("the encoding is none of UTF-8, UTF-16, Shift_JIS (CP932) and Windows-1252. Say it: --encoding NAME.")


def delimiter_of(lines: Iterable[str]) -> str:
    """The delimiter that makes the most even table of the first lines; a comma, where nothing tells."""
    sample = [line for _, line in zip(range(_SAMPLE * 4), lines, strict=False)]
    return max(DELIMITERS, key=lambda delimiter: (_evenness(sample, delimiter), -DELIMITERS.index(delimiter)))


def _evenness(sample: list[str], delimiter: str) -> tuple[float, int]:
    try:
        rows = [row for _, row in zip(range(_SAMPLE), csv.reader(sample, delimiter=delimiter), strict=False) if row]
    except csv.Error:
        return (0.0, 0)
    widths = Counter(len(row) for row in rows)
    if not rows or len(rows[0]) < 2:
        return (0.0, 0)
    # The header says how wide the table is.
    return (widths[len(rows[0])] / len(rows), len(rows[0]))


def _numbered(chunks: Iterable[bytes]) -> Iterable[tuple[bool, bytes]]:
    first = True
    for chunk in chunks:
        if chunk:
            yield first, chunk
            first = False


def _refuse_what_is_no_text(head: bytes) -> None:
    for magic, what in _NOT_TEXT.items():
        if head.startswith(magic):
            raise NotACsv(f"this is no CSV file but {what}. {_SAVE_AS}")


def _by_mark(head: bytes) -> str | None:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Without a mark: every second byte of Latin letters is nothing.
    sample = head[:1000]
    if len(sample) >= 8:
        even, odd = sample[0::2].count(0) / len(sample[0::2]), sample[1::2].count(0) / len(sample[1::2])
        if odd > 0.3 > even:
            return "utf-16-le"
        if even > 0.3 > odd:
            return "utf-16-be"
    return None


class _Trial:
    """Whether everything can be read in one encoding."""

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
        self._read = self._bad = 0

    def take(self, chunk: bytes, *, final: bool = False) -> None:
        text = self._decoder.decode(chunk, final)
        self._read += len(text)
        self._bad += sum(1 for character in text if "\udc80" <= character <= "\udcff") if not text.isascii() else 0

    def ends(self) -> bool:
        """No byte was wrong."""
        self.take(b"", final=True)
        return not self._bad

    @property
    def mostly(self) -> bool:
        """Few bytes were wrong: damage, and not another encoding."""
        return self._bad * 50 < max(self._read, 50)


class _Pairs:
    """The share of bytes beyond ASCII that look like half a Japanese character.

    Those that stand next to another, and those of a range that is all but empty in Windows-1252; its curly quotation
    marks and dashes, though, stand behind letters.
    """

    def __init__(self) -> None:
        self._high = self._japanese = 0

    def take(self, chunk: bytes) -> None:
        if chunk.isascii() or self._high > 100_000:
            return
        for place, byte in enumerate(chunk):
            if byte > 0x7F:
                before = chunk[place - 1] if place else 0
                after = chunk[place + 1] if place + 1 < len(chunk) else 0
                lead = 0x81 <= byte <= 0x9F and not (byte in _PUNCTUATION and chr(before).isalpha())
                self._high += 1
                self._japanese += before > 0x7F or after > 0x7F or lead

    @property
    def share(self) -> float:
        return self._japanese / self._high if self._high else 1.0
