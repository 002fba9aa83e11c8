"""Two who may be one are found, with why; namesakes are left alone."""

from __future__ import annotations

from collections.abc import Mapping

from tabiji.domain.csv.similar import Likely, Likeness, likeness, traits_of


def like(one: Mapping[str, object], other: Mapping[str, object], emails: tuple[str, str] = ("", "")) -> Likeness | None:
    return likeness(traits_of(one, emails[0]), traits_of(other, emails[1]))


YAMADA = {"last_name": "山田", "first_name": "太郎", "company": "株式会社たびじ", "phone": "+819012345678"}


def test_the_same_name_with_the_same_company_or_telephone_may_be_one() -> None:
    found = like(YAMADA, {"name": "山田　太郎", "company": "(株)たびじ"})
    assert found is not None
    assert found.reasons == ("same name", "same company")
    found = like(YAMADA, {"name": "山田太郎", "phone": "090"} | {"phone": "+81 90-1234-5678"})
    assert found is not None
    assert "same telephone number" in found.reasons


def test_a_reading_finds_who_is_written_differently() -> None:
    one = {"last_name_kana": "タカハシ", "first_name_kana": "ハナコ", "name": "髙橋花子", "company": "たびじ"}
    other = {"kana": "たかはし　はなこ", "name": "高橋 華子", "company": "たびじ"}
    found = like(one, other)
    assert found is not None
    assert found.reasons[0] == "same reading (kana)"


def test_one_name_read_in_two_ways_is_two_people() -> None:
    one = {"name": "東海林太郎", "kana": "ショウジタロウ", "company": "たびじ"}
    assert like(one, {"name": "東海林太郎", "kana": "トウカイリンタロウ", "company": "たびじ"}) is None


def test_a_name_alone_or_a_telephone_alone_makes_nobody_one() -> None:
    assert like({"name": "山田太郎"}, {"name": "山田太郎"}) is None
    assert like(YAMADA, {"name": "鈴木花子", "phone": "+819012345678"}) is None
    assert like({}, {}) is None


def test_a_slip_of_the_pen_is_found() -> None:
    one, other = {"name": "Katharina Schmidt", "company": "Acme GmbH"}, {"name": "Katarina Schmidt", "company": "ACME"}
    found = like(one, other)
    assert found is not None
    assert found.reasons == ("similar name", "same company")


def test_only_who_shares_something_is_compared_and_a_crowd_is_not() -> None:
    likely = Likely[int]()
    for place in range(200):
        likely.add(place, traits_of({"name": f"人{place}", "phone": "+810000000000"}))
    likely.add(999, traits_of(YAMADA, "taro@example.jp"))
    assert [who for who, _ in likely.like(traits_of({"name": "人1", "phone": "+810000000000"}))] == [1]
    assert [who for who, _ in likely.like(traits_of(YAMADA, "yamada@example.com"))] == [999]
