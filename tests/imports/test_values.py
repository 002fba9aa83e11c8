"""Cells, cleaned: what people write, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabiji.domain.csv import values
from tabiji.domain.csv.dates import NoDay, read_day
from tabiji.domain.csv.values import Unclean


@pytest.mark.parametrize(
    ("clean", "cell", "kept"),
    [
        (values.text, "　ＡＢＣ　株式会社 ", "ABC 株式会社"),
        (values.text, "ﾔﾏﾀﾞ\u3000ﾀﾛｳ", "ヤマダ タロウ"),
        (values.text, "one\r\ntwo", "one\ntwo"),
        (values.kana, "やまだ　たろう", "ヤマダ タロウ"),
        (values.kana, "ｳﾞｧｲｵﾘﾝ", "ヴァイオリン"),
        (values.email, " Taro.Yamada@Example.CO.JP ", "taro.yamada@example.co.jp"),
        (values.email, "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", "taro@example.jp"),
        (values.email, "<mailto:taro@example.jp>", "<mailto:taro@example.jp>"[8:-1]),
        (values.email, "o'neill+news@example.com", "o'neill+news@example.com"),
        (values.identifier, " A-007 ", "A-007"),
        (values.number, "１，２３４．５", 1234.5),
        (values.number, "¥12,000", 12000),
        (values.number, "-3", -3),
        (values.yes, "はい", True),
        (values.yes, "○", True),
        (values.yes, "希望しない", False),
        (values.yes, "FALSE", False),
        (values.zone, "asia/tokyo", "Asia/Tokyo"),
        (values.zone, "JST", "Asia/Tokyo"),
        (values.locale, "ja_JP", "ja-JP"),
        (values.locale, "日本語", "ja"),
        (values.names, "vip; 展示会、 vip", ("vip", "展示会")),
        (values.names, '["a;b", "c"]', ("a;b", "c")),
    ],
)  # fmt: skip
def test_cells_are_cleaned(clean: Callable[[str], Any], cell: str, kept: Any) -> None:
    assert clean(cell) == kept


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("090-1234-5678", "+819012345678"),
        ("０９０（１２３４）５６７８", "+819012345678"),
        ("9012345678", "+819012345678"),  # Excel has dropped the first digit
        ("03-1234-5678", "+81312345678"),
        ("+49 30 901820", "+4930901820"),
    ],
)
def test_telephones_become_international(cell: str, kept: str) -> None:
    assert values.phone(cell, "JP") == kept


def nowhere(cell: str) -> str:
    return values.phone(cell, None)


def in_japan(cell: str) -> str:
    return values.phone(cell, "JP")


@pytest.mark.parametrize(
    ("clean", "cell", "reason"),
    [
        (values.email, "taro.example.jp", "there is no @"),
        (values.email, "taro@", "after the @"),
        (values.email, "ta ro@example.jp", "invalid characters"),
        (values.email, "x" * 250 + "@example.jp", "too long"),
        (nowhere, "090-1234-5678", "region ="),
        (in_japan, "12", "that exists in JP"),
        (values.number, "12,34", "no number"),
        (values.number, "9" * 30, "a database cannot keep"),
        (values.yes, "perhaps", "neither yes nor no"),
        (values.zone, "Mars/Olympus", "IANA"),
        (values.text, "a\x00b", "NUL"),
        (values.text, "caf\udce9", "--encoding"),
        (values.names, "x" * 101, "at most 100"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_in_words_that_do_not_repeat_it(
    clean: Callable[[str], Any], cell: str, reason: str
) -> None:
    with pytest.raises(Unclean, match=reason) as refused:
        clean(cell)
    assert cell not in str(refused.value)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026/1/2", "2026-01-02"),
        ("2026-01-02T09:30:00+09:00", "2026-01-02"),
        ("２０２６年１月２日", "2026-01-02"),
        ("2026.1.2 9:30", "2026-01-02"),
        ("20260102", "2026-01-02"),
        ("令和8年1月2日", "2026-01-02"),
        ("令和元年5月1日", "2019-05-01"),
        ("R8.1.2", "2026-01-02"),
        ("S60/1/2", "1985-01-02"),
        ("昭和64年1月7日", "1989-01-07"),
        ("46024", "2026-01-02"),
        ("46024.75", "2026-01-02"),
        ("2000/2/29", "2000-02-29"),
        ("2月29日", "--02-29"),
    ],
)
def test_days_are_read_in_every_common_notation(cell: str, day: str) -> None:
    assert read_day(cell, yearless=True) == day


def test_which_part_comes_first_is_said_and_not_guessed() -> None:
    assert read_day("2.1.2026", "dd.mm.yyyy") == "2026-01-02"
    assert read_day("2/1/2026", "mm/dd/yyyy") == "2026-02-01"
    with pytest.raises(NoDay, match=r"dd\.mm\.yyyy"):
        read_day("2.1.2026")


@pytest.mark.parametrize("cell", ["2023/2/29", "2026/13/1", "令和元年1月1日", "H31.5.1", "soon", "12", "1/2"])
def test_what_no_calendar_has_is_no_day(cell: str) -> None:
    with pytest.raises(NoDay):
        read_day(cell)


@given(st.dates(min_value=date(1927, 6, 1), max_value=date(2118, 1, 1)))
def test_every_notation_of_a_day_is_the_same_day(day: date) -> None:
    serial = str((day - date(1899, 12, 30)) // timedelta(days=1))
    for cell in (f"{day:%Y/%m/%d}", f"{day:%Y%m%d}", f"{day.year}年{day.month}月{day.day}日", serial):
        assert read_day(cell) == day.isoformat()


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
PLAIN = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    PLAIN | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


@given(JSON)
def test_any_value_an_export_writes_is_read_as_it_was(value: Any) -> None:
    again = values.exact(values.exact_written(value))
    assert again == value
    assert type(again) is type(value)


@given(st.lists(TEXT.filter(str.strip), unique=True, min_size=1, max_size=4))
def test_tags_are_read_as_they_were_written(tags: list[str]) -> None:
    assert values.names(values.names_written(tags)) == tuple(tags)
