"""Days as people write them: 2026/1/2, 2026年1月2日, 令和8年1月2日, R8.1.2, 20260102, 46024 (Excel's number).

2.1.2026 is one where the mapping says which part comes first.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

Notation = Literal["yyyy-mm-dd", "dd.mm.yyyy", "mm/dd/yyyy"]
"""The order of a date's parts; what stands between them is all the same."""

_ERAS = {
    "令和": (date(2019, 5, 1), date(9999, 12, 31)),
    "平成": (date(1989, 1, 8), date(2019, 4, 30)),
    "昭和": (date(1926, 12, 25), date(1989, 1, 7)),
    "大正": (date(1912, 7, 30), date(1926, 12, 24)),
    "明治": (date(1868, 1, 25), date(1912, 7, 29)),
}
_SHORT = {"r": "令和", "h": "平成", "s": "昭和", "t": "大正", "m": "明治"}
_BETWEEN = r"\s*[-/.年月]\s*"
_TIME = r"(?:日)?(?:[T\s]+\d{1,2}(?::\d{2}){1,2}(?:\.\d+)?\s*(?:Z|[+-]\d\d:?\d\d)?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}}){_BETWEEN}(\d{{1,2}}){_BETWEEN}(\d{{1,2}}){_TIME}", re.IGNORECASE)
_YEAR_LAST = re.compile(rf"(\d{{1,2}})\s*[-/.]\s*(\d{{1,2}})\s*[-/.]\s*(\d{{4}}){_TIME}", re.IGNORECASE)
_ERA = re.compile(
    rf"(令和|平成|昭和|大正|明治|[rhstm])\s*\.?\s*(元|\d{{1,2}}){_BETWEEN}(\d{{1,2}}){_BETWEEN}(\d{{1,2}})日?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEARLESS = re.compile(r"(?:--)?(\d{1,2})[-/月](\d{1,2})日?")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_EXCELS_FIRST = date(1899, 12, 30)
"""Day 0, such that every day from 1 March 1900 on has Excel's number."""


class NoDay(ValueError):
    """A text is no day. The message says why, and quotes nothing."""


@lru_cache(maxsize=20_000)
def read_day(text: str, notation: Notation = "yyyy-mm-dd", *, yearless: bool = False) -> str:
    """A day as ``2026-01-02``; with `yearless` also ``--01-02`` for one that comes every year.

    A time behind it is left out.

    Args:
        text: As it stands in the cell; any width of digits.
        notation: How days are written that begin with no year.
        yearless: Whether a day without a year is one.

    Raises:
        NoDay: It is none, it is not in the calendar, or it could be two.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if found := _ERA.fullmatch(plain):
        return _in_era(*found.groups())
    if found := _YEAR_FIRST.fullmatch(plain) or _COMPACT.fullmatch(plain):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _YEAR_LAST.fullmatch(plain):
        return _by(notation, int(found[1]), int(found[2]), int(found[3]))
    if yearless and (found := _YEARLESS.fullmatch(plain)):
        return "-" + _day(2000, int(found[1]), int(found[2]))[4:]
    if _SERIAL.fullmatch(plain):
        return _serial(float(plain))
    raise NoDay("is no date, e.g. 2026-01-31")


def _by(notation: Notation, first: int, second: int, year: int) -> str:
    if notation == "dd.mm.yyyy":
        return _day(year, second, first)
    if notation == "mm/dd/yyyy":
        return _day(year, first, second)
    raise NoDay('may be two days; say which part comes first: date = "dd.mm.yyyy" or "mm/dd/yyyy" in the mapping')


def _in_era(name: str, year: str, month: str, day: str) -> str:
    era = _SHORT.get(name.lower(), name)
    begins, ends = _ERAS[era]
    found = _day(begins.year + (1 if year == "元" else int(year)) - 1, int(month), int(day))
    if not begins <= date.fromisoformat(found) <= ends:
        raise NoDay(f"is not in the era {era}")
    return found


def _day(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        raise NoDay("is a day no calendar has") from None


def _serial(number: float) -> str:
    if not 10_000 <= number < 80_000:
        raise NoDay("is no date, e.g. 2026-01-31")
    return (_EXCELS_FIRST + timedelta(days=int(number))).isoformat()
