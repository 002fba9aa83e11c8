"""What goes out comes in again as it was, and no cell is a formula."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.contact import Contact
from models.database import Database
from models.reads.contacts import ContactShown
from tabiji.domain.csv.write import written
from tabiji.errors import ConfigurationError, Refused
from tests.databases import sqlite_database
from tests.imports.house import House

CONSENT = ["consent.news", "consent.news.source", "consent.news.wording", "consent.news.at"]
ROWS = (
    ["email", "user_id", "timezone", "locale", "tags", "lists", *(f"attributes.{name}" for name in "vwxyz"), *CONSENT],
    [
        *("a@example.com", "u-1", "Asia/Tokyo", "ja-JP", '["a;b", "c"]', "fair"),
        *("  ㈱ ＡＢＣ ", "12.5", '"007"', "true", '{"a": [1, null]}'),
        *("yes", "fair", "one\ntwo", "2026-10-01T09:00:00+09:00"),
    ],
    [
        *("b@example.com", "", "", "", "vip", "fair; news"),
        *("=1+1", "-3", "+81312345678", "false", "'"),
        *("no", "phone", "", "2026-05-01"),
    ],
    ["", "u-3", "", "", "", "", "@cmd"],
)
PEOPLE = "".join(written(row) for row in ROWS)


def same(one: ContactShown) -> dict[str, object]:
    return one.model_dump(exclude={"id", "created_at"})


async def test_an_export_comes_in_again_as_it_was(both: House, tmp_path: Path) -> None:
    await both.take_in(both.file(PEOPLE))
    out = tmp_path / "out.csv"
    assert await both.give_out(out) == 3

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    async with sqlite_database(elsewhere) as database:
        other = House(database, elsewhere)
        report = await other.take_in(out)
        assert (report.people, report.problems) == (3, {})
        for kind, value in (("email", "a@example.com"), ("email", "b@example.com"), ("user", "u-3")):
            before, after = await both.contact(kind, value), await other.contact(kind, value)
            assert before is not None
            assert after is not None
            assert same(after) == same(before)
        again = elsewhere / "again.csv"
        await other.give_out(again)
        assert sorted(again.read_bytes().splitlines()) == sorted(out.read_bytes().splitlines())


async def test_into_the_database_it_came_from_it_changes_nothing(house: House, tmp_path: Path) -> None:
    await house.take_in(house.file(PEOPLE))
    before = await house.rows(Contact)
    out = tmp_path / "out.csv"
    await house.give_out(out)
    report = await house.take_in(out)
    assert report.known == 3
    assert [(row.email, row.attributes) for row in await house.rows(Contact)] == [
        (row.email, row.attributes) for row in before
    ]


async def test_no_cell_of_an_export_is_a_formula(house: House, tmp_path: Path) -> None:
    await house.take_in(house.file('email,note\na@example.com,"=HYPERLINK(""http://evil"")"\nb@example.com,@x\n'))
    out = tmp_path / "out.csv"
    await house.give_out(out, columns=("email", "attributes.note"))
    assert out.read_text("utf-8-sig").splitlines() == [
        "email,attributes.note",
        'a@example.com,"\'=HYPERLINK(""http://evil"")"',
        "b@example.com,'@x",
    ]


async def test_an_export_is_of_whom_one_asks_for_in_the_encoding_one_asks_for(house: House, tmp_path: Path) -> None:
    people = "a@example.com,山田,vip,x\nb@example.com,鈴木,vip,y\nc@example.com,林,,x\n"
    await house.take_in(house.file(f"email,氏名,tags,lists\n{people}"))
    out = tmp_path / "out.csv"
    assert await house.give_out(out, where=("tag=vip",), columns=("email",)) == 2
    assert await house.give_out(out, where=("tag=vip", "list=x"), encoding="sjis") == 1
    assert "山田" in out.read_text("cp932")
    await house.take_in(house.file("email,note\na@example.com,한국어\n"))
    with pytest.raises(Refused, match=r"cp932 has no '한'.*utf-8-sig"):
        await house.give_out(tmp_path / "other.csv", encoding="cp932")
    assert [name for name in os.listdir(tmp_path) if "other" in name] == []


@pytest.mark.parametrize(
    ("wanted", "said"),
    [({"where": ("score>3",)}, "tag=NAME or list=NAME"), ({"columns": ("emial",)}, "no column 'emial'")],
)
async def test_what_cannot_be_asked_for_is_refused(
    house: House, tmp_path: Path, wanted: dict[str, tuple[str, ...]], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        await house.give_out(tmp_path / "out.csv", **wanted)
    with pytest.raises(ConfigurationError, match="no encoding"):
        await house.give_out(tmp_path / "out.csv", encoding="klingon")


async def test_a_crowd_goes_out_page_by_page(sqlite: Database, tmp_path: Path) -> None:
    house = House(sqlite, tmp_path)
    people = "".join(f"u{number}@example.com\n" for number in range(1100))
    await house.take_in(house.file(f"email\n{people}"), compare=False)
    assert await house.give_out(tmp_path / "out.csv") == 1100
