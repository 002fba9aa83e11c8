"""A header is understood, a row becomes a person, and every problem has its line, field and reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tabiji.domain.csv.mapping import BadMapping, Plan, mapped_from, plan_of
from tabiji.domain.csv.people import Decision, PersonRead, read_person
from tabiji.domain.csv.rows import Row

JAPANESE = ["メールアドレス", "会員番号", "氏名", "フリガナ", "電話番号", "会社名", "生年月日", "社内メモ"]


def plan(headers: list[str], **mapping: Any) -> Plan:
    return plan_of(headers, mapped_from(mapping))


def person(headers: list[str], cells: list[str], **mapping: Any) -> PersonRead:
    found, problems = read_person(Row(2, tuple(cells)), plan(headers, **mapping))
    assert problems == []
    assert found is not None
    return found


def problems(headers: list[str], cells: list[str], **mapping: Any) -> tuple[PersonRead | None, list[str]]:
    found, met = read_person(Row(7, tuple(cells)), plan(headers, **mapping))
    assert {problem.line for problem in met} <= {7}
    return found, [f"{problem.field}: {problem.reason}" for problem in met]


def test_a_japanese_header_needs_no_mapping() -> None:
    cells = ["Taro@Example.jp", "C-1", "山田　太郎", "ﾔﾏﾀﾞ ﾀﾛｳ", "090-1234-5678", "㈱たびじ", "昭和63年2月29日", "常連"]
    found = person(JAPANESE, cells)
    assert (found.email, found.user_id) == ("taro@example.jp", "C-1")
    assert found.attributes == {
        "name": "山田 太郎",
        "last_name": "山田",
        "first_name": "太郎",
        "kana": "ヤマダ タロウ",
        "last_name_kana": "ヤマダ",
        "first_name_kana": "タロウ",
        "phone": "+819012345678",
        "company": "(株)たびじ",
        "birthday": "1988-02-29",
        "社内メモ": "常連",
    }


@pytest.mark.parametrize(
    ("header", "to"),
    [
        ("E-mail Address", "email"),
        ("メールアドレス（必須）", "メールアドレス(必須)"),
        ("Eメール", "email"),
        ("お名前", "full_name"),
        ("姓 (漢字)", "姓 (漢字)"),
        ("セイ", "last_name_kana"),
        ("TEL", "phone"),
        ("携帯電話番号", "mobile"),
        ("貴社名", "company"),
        ("Date of Birth", "birthday"),
        ("郵便番号", "postal_code"),
        ("First Name", "first_name"),
        ("Favourite colour", "favourite_colour"),
    ],
)
def test_titles_are_known_in_english_and_japanese(header: str, to: str) -> None:
    found = {target.header: target.to for target in plan([header, "user_id"]).targets}
    assert found[header] == to


def test_the_family_name_comes_first_where_the_script_is_japanese() -> None:
    assert person(["email", "name"], ["a@example.com", "Ann Lee"]).attributes["last_name"] == "Lee"
    assert person(["email", "name"], ["a@example.com", "李 安"]).attributes["last_name"] == "李"
    turned = person(["email", "name"], ["a@example.com", "Lee Ann"], names="family_first")
    assert turned.attributes["last_name"] == "Lee"


def test_a_mapping_says_what_titles_do_not() -> None:
    found = person(
        ["mail", "id", "joined on", "spent", "memo", "x"],
        ["a@example.com", "7", "2.1.2026", "1,200", "secret", "y"],
        columns={
            "id": "user_id",
            "joined on": {"to": "joined", "kind": "date", "date": "dd.mm.yyyy"},
            "spent": {"to": "spent", "kind": "number"},
        },
        others="guess",
        tags=["fair"],
        lists=["2026"],
        timezone="Asia/Tokyo",
    )
    assert found.user_id == "7"
    assert found.attributes == {"joined": "2026-01-02", "spent": 1200, "note": "secret", "x": "y"}
    assert (found.tags, found.lists, found.timezone) == (("fair",), ("2026",), "Asia/Tokyo")


def test_what_is_not_named_can_be_left_out() -> None:
    found = person(["mail", "memo"], ["a@example.com", "x"], columns={"mail": "email"}, others="ignore")
    assert found.attributes == {}


def test_a_consent_carries_its_proof_and_its_time() -> None:
    rule = {"column": "メルマガ", "source": "fair 2026", "wording": "案内を受け取ります", "at_column": "日付"}
    headers = ["email", "メルマガ", "日付"]
    found = person(headers, ["a@example.com", "希望する", "2026/10/1"], consent={"marketing": rule})
    moment = datetime(2026, 10, 1, tzinfo=UTC)
    assert found.decisions == (Decision("marketing", True, "fair 2026", "案内を受け取ります", moment),)
    assert person(headers, ["a@example.com", "", ""], consent={"marketing": rule}).decisions == ()


def test_a_consent_without_a_source_is_none() -> None:
    found, met = problems(["email", "consent.marketing"], ["a@example.com", "yes"])
    assert found is not None
    assert found.decisions == ()
    assert "needs its source as proof" in met[0]


def test_what_looks_like_consent_is_said_to_be_none() -> None:
    assert "lets nobody be mailed" in plan(["email", "メルマガ"]).notes[0]


def test_a_faulty_field_stays_out_and_a_faulty_identity_keeps_the_line_out() -> None:
    headers = ["email", "user_id", "tel", "birthday"]
    found, met = problems(headers, ["a@example.com", "", "12", "2023/2/29"], region="JP")
    assert found is not None
    assert found.attributes == {}
    assert len(met) == 2
    assert problems(headers, ["nonsense", "7", "", ""])[0] is None
    assert problems(headers, ["", "", "03-1234-5678", ""])[0] is None


def test_strict_leaves_out_the_whole_line() -> None:
    assert problems(["email", "birthday"], ["a@example.com", "soon"], strict=True)[0] is None


def test_a_line_with_more_cells_than_titles_is_refused_and_empty_ones_do_not_count() -> None:
    found, met = problems(["email", "note"], ["a@example.com", "x", "y"])
    assert found is None
    assert "has 3 cells, the header 2" in met[0]
    assert person(["email", "note"], ["a@example.com", "x", "", " "]).attributes == {"note": "x"}
    assert person(["email", "note"], ["a@example.com"]).attributes == {}


def test_a_huge_cell_and_too_many_attributes_are_problems_of_the_line() -> None:
    found, met = problems(["email", "note"], ["a@example.com", "x" * 9000])
    assert found is not None
    assert "9000 characters" in met[0]
    wide = ["email", *(f"c{place}" for place in range(200))]
    assert person(wide, ["a@example.com", *("1" for _ in range(200))]).attributes["c199"] == "1"
    found, met = problems([*wide, "one_more"], ["a@example.com", *("1" for _ in range(201))])
    assert found is None
    assert "at most 200" in met[0]


def test_nul_bytes_are_a_problem_of_their_field() -> None:
    found, met = problems(["email", "note"], ["a@example.com", "a\x00b"])
    assert found is not None
    assert "NUL" in met[0]


@pytest.mark.parametrize(
    ("headers", "mapping", "said"),
    [
        (["name", "company"], {}, r"no column says who somebody is.*--map"),
        (["email", "email"], {}, "more than once"),
        (["email", "Eメール"], {}, r"would both become 'email'.*ignore"),
        (["email"], {"columns": {"mail": "email"}}, r"names 'mail', which is no column of the file: 'email'"),
        (["email"], {"consent": {"marketing": {"column": "x", "source": "fair"}}}, "names 'x'"),
        (["email", "a"], {"columns": {"a": "anonymous_id"}}, "cannot be imported"),
        (["email", "x" * 101], {}, "at most 100 characters"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_with_what_to_do(
    headers: list[str], mapping: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadMapping, match=said):
        plan(headers, **mapping)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"colums": {}}, "colums"),
        ({"region": "Japan"}, r"region: .*two letters"),
        ({"consent": {"marketing": {}}}, r"consent\.marketing\.source"),
        ({"columns": {"a": {"to": "b", "kind": "datum"}}}, "columns.a"),
    ],
)
def test_a_mapping_that_says_nonsense_is_refused_with_the_place(mapping: dict[str, Any], said: str) -> None:
    with pytest.raises(BadMapping, match=said):
        mapped_from(mapping)
