"""Files come in: who was known, who is new, what they agreed to; what cannot be kept goes back with its reason."""

from __future__ import annotations

import asyncio
import csv
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from models.contact import Consent, Contact
from models.duplicate import Duplicate
from models.enrollment import Dispatch
from models.event import Event
from models.import_job import ImportJob
from tabiji import Journey, journey, on
from tabiji.domain.csv.detect import NotACsv
from tabiji.errors import Refused, Superseded, UnknownImport
from tests.imports.house import House, errors_of

FAIR = """メールアドレス,会員番号,氏名,フリガナ,電話番号,会社名,生年月日,タグ,メルマガ
taro@example.jp,C-1,山田　太郎,ﾔﾏﾀﾞ ﾀﾛｳ,090-1234-5678,㈱たびじ,昭和63年2月29日,VIP;展示会,希望する
hanako@example.jp,C-2,鈴木 花子,スズキ ハナコ,03-1234-5678,例え商会,1990/1/2,,希望しない
"""
CONSENT = """
lists = ["展示会 2026"]
[consent.marketing]
column = "メルマガ"
source = "展示会 2026, 紙"
wording = "新製品の案内を受け取ります"
at = 2026-10-01
"""


async def test_a_japanese_file_from_excel_comes_in_whole(both: House) -> None:
    report = await both.take_in(both.file(FAIR, "cp932"), CONSENT)

    assert (report.people, report.new, report.refused) == (2, 2, 0)
    taro = await both.known("taro@example.jp")
    assert taro.attributes["last_name"] == "山田"
    assert taro.attributes["phone"] == "+819012345678"
    assert taro.attributes["birthday"] == "1988-02-29"
    assert (taro.tags, taro.lists) == (["VIP", "展示会"], ["展示会 2026"])
    (consent,) = taro.consents
    assert (consent.given, consent.source) == (True, "展示会 2026, 紙")
    assert (consent.wording, consent.at) == ("新製品の案内を受け取ります", datetime(2026, 10, 1, tzinfo=UTC))
    assert {identity.kind for identity in taro.identities} == {"email", "user"}
    hanako = await both.known("hanako@example.jp")
    assert [consent.given for consent in hanako.consents] == [False]


async def test_an_import_sets_nothing_going_and_leaves_one_event_with_each(both: House) -> None:
    await both.take_in(both.file(FAIR), CONSENT)

    events = await both.rows(Event)
    assert [event.name for event in events] == ["Contact Imported"] * 2
    assert await both.rows(Dispatch) == []


async def test_the_same_file_again_changes_nothing(both: House) -> None:
    file = both.file(FAIR)
    await both.take_in(file, CONSENT)
    contacts, consents = await both.rows(Contact), await both.rows(Consent)
    report = await both.take_in(file, CONSENT)

    assert (report.people, report.known, report.new) == (2, 2, 0)
    assert await both.rows(Contact) == contacts
    assert await both.rows(Consent) == consents


async def test_a_dry_run_says_the_same_and_writes_nothing(house: House) -> None:
    file = house.file(FAIR + "nonsense,C-3\n,,誰か\ntaro@example.jp,C-1\n")
    dry = await house.take_in(file, CONSENT, dry_run=True)
    assert (dry.lines, dry.people, dry.new, dry.again, dry.refused) == (5, 3, 2, 1, 2)
    assert await house.rows(Contact) == []
    assert await house.rows(ImportJob) == []
    assert "Nothing was written" in house.said.getvalue()

    wet = await house.take_in(file, CONSENT)
    assert (wet.lines, wet.people, wet.new, wet.again, wet.refused) == (5, 3, 2, 1, 2)
    assert wet.problems == dry.problems


async def test_the_file_of_errors_has_line_reason_and_the_row_and_comes_in_once_mended(house: House) -> None:
    text = 'email;name;tel\na@example;Ann;03-1234-5678\n"b@example.com";"=cmd|x";12\n'
    file = house.file(text, "cp932")
    await house.take_in(file, said={"region": "JP"})

    path = file.with_name("people.errors.csv")
    with path.open(encoding="utf-8-sig", newline="") as errors:
        rows = list(csv.DictReader(errors, delimiter=";"))
    assert [(row["tabiji line"], row["tabiji outcome"]) for row in rows] == [
        ("2", "left out"),
        ("3", "imported without it"),
    ]
    assert "e-mail address" in rows[0]["tabiji problem"]
    assert rows[1]["name"] == "'=cmd|x"

    path.write_text(path.read_text("utf-8-sig").replace("a@example;", "a@example.com;"), "utf-8")
    report = await house.take_in(path, said={"region": "JP"})
    assert report.people == 2
    assert (await house.known("a@example.com")).attributes["phone"] == "+81312345678"
    assert (await house.known("b@example.com")).attributes["name"] == "=cmd|x"


async def test_the_file_of_errors_has_the_encoding_that_came_in(house: House) -> None:
    file = house.file("メール,氏名\nなし,髙橋①\n" + FAIR.splitlines()[1] + "\n", "cp932")
    await house.take_in(file)
    assert "髙橋①" in errors_of(file, "cp932")[1]


async def test_bytes_that_are_no_characters_are_a_problem_of_their_line_and_go_back_as_they_were(house: House) -> None:
    body = b"email,note\n" + "a@example.com,日本\n".encode() * 30 + b"b@example.com,caf\xe9\nc@example.com,ok\n"
    file = house.folder / "people.csv"
    file.write_bytes(body)
    report = await house.take_in(file, said={"encoding": "utf-8"})

    assert "--encoding" in next(iter(report.problems))[1]
    assert await house.known("c@example.com")
    assert b"caf\xe9" in file.with_name("people.errors.csv").read_bytes()


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"", "is empty"), (b"\n\n", "is empty"), (b"PK\x03\x04...", "Excel workbook"), (b'"email\n', "never closed")],
)
async def test_what_is_no_csv_is_refused_with_what_to_do(house: House, body: bytes, said: str) -> None:
    file = house.folder / "people.csv"
    file.write_bytes(body)
    with pytest.raises(NotACsv, match=said):
        await house.take_in(file)


async def test_nothing_but_a_header_imports_nobody(house: House) -> None:
    report = await house.take_in(house.file("email,name\n"))
    assert (report.lines, report.people, report.refused) == (0, 0, 0)
    assert [job.state for job in await house.rows(ImportJob)] == ["done"]


async def test_of_two_lines_about_one_person_the_later_counts(house: House) -> None:
    report = await house.take_in(house.file("email,plan,city\na@example.com,free,Kyoto\nA@EXAMPLE.COM,pro,\n"))
    assert (report.new, report.again) == (1, 1)
    assert (await house.known("a@example.com")).attributes == {"plan": "pro", "city": "Kyoto"}


async def test_an_old_file_does_not_undo_what_is_known_since(house: House) -> None:
    await house.take_in(house.file("email,plan\na@example.com,pro\n"), "as_of = 2026-06-01")
    await house.take_in(house.file("email,plan,city\na@example.com,free,Kyoto\n"), "as_of = 2025-01-01")
    assert (await house.known("a@example.com")).attributes == {"plan": "pro", "city": "Kyoto"}


async def test_a_yes_of_long_ago_does_not_undo_a_no(both: House) -> None:
    """Who has unsubscribed stays so, whatever an older list says."""
    mapping = '[consent.news]\nsource = "old list"\n'
    first = both.file("email,consent.news,consent.news.source,consent.news.at\na@example.com,no,phone,2026-05-01\n")
    await both.take_in(first)
    await both.take_in(both.file("email\na@example.com\n"), mapping + "at = 2020-01-01\n")
    undated = await both.take_in(both.file("email\na@example.com\n"), mapping)
    assert not (await both.known("a@example.com")).consents[0].given
    assert "decided otherwise (2026-05-01)" in next(iter(undated.problems))[1]

    await both.take_in(both.file("email\na@example.com\n"), mapping + "at = 2026-06-01\n")
    assert (await both.known("a@example.com")).consents[0].given
    assert len(await both.rows(Consent)) == 3


async def test_a_no_without_a_date_counts_from_now(house: House) -> None:
    await house.take_in(house.file("email\na@example.com\n"), '[consent.news]\nsource = "fair"\nat = 2026-06-01\n')
    no = house.file("email,news\na@example.com,no\n")
    await house.take_in(no, '[consent.news]\ncolumn = "news"\nsource = "fair"\n')
    assert not (await house.known("a@example.com")).consents[0].given


async def test_who_may_be_one_is_put_on_a_list_with_why_and_nobody_is_merged(both: House) -> None:
    await both.take_in(both.file("email,氏名,会社名\ntaro@example.jp,山田 太郎,株式会社たびじ\n"))
    again = both.file("email,氏名,会社名\nyamada@example.com,山田太郎,㈱たびじ\nz@example.com,鈴木花子,㈱たびじ\n")
    dry = await both.take_in(again, dry_run=True)
    report = await both.take_in(again)

    assert len(dry.pairs) == len(report.pairs) == 1
    (pair,) = await both.rows(Duplicate)
    assert (pair.state, pair.reasons) == ("open", ["same name", "same company"])
    assert len(await both.rows(Contact)) == 3
    listed = again.with_name("people.duplicates.csv").read_text("utf-8-sig")
    assert "taro@example.jp" in listed
    assert "same name; same company" in listed
    await both.take_in(again)
    assert len(await both.rows(Duplicate)) == 1


async def test_an_import_that_was_cut_off_goes_on_where_it_was(both: House) -> None:
    text = "email,name,tags,consent.news,consent.news.source\n" + "".join(
        f"user{number}@example.com,Ann {number},vip,yes,fair\n" for number in range(230)
    )
    file = both.file(text + "nonsense\n")
    task = asyncio.create_task(both.take_in(file))
    while not any(job.place for job in await both.rows(ImportJob)):  # noqa: ASYNC110 # a row wakes nobody
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    (cut,) = await both.rows(ImportJob)
    assert cut.state == "running"
    assert 0 < cut.people < 230

    report = await both.take_in(file, resume=cut.id)
    (done,) = await both.rows(ImportJob)
    assert (done.state, done.people, done.refused, done.problems) == ("done", 230, 1, 1)
    assert (report.people, report.refused) == (230, 1)
    assert len(await both.rows(Contact)) == len(await both.rows(Event)) == len(await both.rows(Consent)) == 230


async def test_what_was_written_before_the_place_moved_is_not_written_twice(house: House) -> None:
    """A process dies between a group's two transactions: the group is done again."""
    file = house.file("email,consent.news,consent.news.source\na@example.com,yes,fair\n")
    await house.take_in(file)
    (job,) = await house.rows(ImportJob)
    async with house.database.write() as tx:
        from sqlalchemy import update

        from models.database import table

        await tx.execute(update(table(ImportJob)).values(place=0, state="running"))
    await house.take_in(file, resume=job.id)
    assert len(await house.rows(Event)) == len(await house.rows(Consent)) == 1


async def test_who_was_taken_over_stops(house: House) -> None:
    file = house.file("email\na@example.com\n")
    await house.take_in(file)
    (row,) = await house.rows(ImportJob)
    async with house.open(trigger=False) as first, house.open(trigger=False) as second:
        from tabiji.domain.csv.orders import Tally
        from tabiji.domain.csv.people import PersonRead

        job = await first.take_over(row.id)
        await second.take_over(row.id)
        people = [PersonRead(2, email="a@example.com")]
        contacts = await first.record(job, people)
        with pytest.raises(Superseded, match="taken over"):
            await first.settle(job, people, contacts, Tally(place=2))


async def test_only_the_same_file_goes_on_and_only_while_it_is_not_done(house: House) -> None:
    file = house.file("email\na@example.com\n")
    await house.take_in(file)
    (job,) = await house.rows(ImportJob)
    with pytest.raises(Refused, match="is done"):
        await house.take_in(file, resume=job.id)
    with pytest.raises(Refused, match="another file"):
        await house.take_in(house.file("email\nb@example.com\n"), resume=job.id)
    with pytest.raises(UnknownImport, match="tabiji imports"):
        await house.take_in(file, resume=uuid4())


@journey(trigger=on("List Joined", list="fair"))
class Fair(Journey):
    """Who joins the list."""

    async def steps(self) -> None:
        """Nothing."""


@journey(trigger=on("Contact Imported"))
class Imported(Journey):
    """Who is imported."""

    async def steps(self) -> None:
        """Nothing."""


async def test_journeys_start_only_where_asked_and_at_the_rate(both: House) -> None:
    both.specs = (Fair.spec, Imported.spec)
    file = both.file("email,lists,plan\n" + "".join(f"u{number}@example.com,fair,pro\n" for number in range(16)))
    began = asyncio.get_running_loop().time()
    await both.take_in(file, trigger=True, rate=20.0)

    assert asyncio.get_running_loop().time() - began >= 0.45
    assert len(await both.rows(Dispatch)) == 32
    names = sorted(event.name for event in await both.rows(Event))
    assert names == ["Attribute Changed"] * 16 + ["Contact Imported"] * 16 + ["List Joined"] * 16
