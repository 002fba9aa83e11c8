"""What a mail is taken for, and what in it a person wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contact import Consent
from tabiji.channels.email.inbound.answer import wants_to_leave, written
from tabiji.channels.email.inbound.letter import Sort, read
from tabiji.channels.email.inbound.prose import before_the_copy, why
from tabiji.domain.bounces import Kind
from tests.inbound.house import DOMAIN, OURS, House
from tests.inbound.mails import answer, complaint


def sort_of(content: bytes, sender: str = "hanako@example.jp") -> Sort:
    return read(content, sender=sender, domain=DOMAIN).sort


@pytest.mark.parametrize(
    ("subject", "headers"),
    [
        ("Re: An invitation", {"Auto_Submitted": "auto-replied"}),
        ("Re: An invitation", {"Auto_Submitted": "auto-generated; owner-email=x"}),
        ("Re: An invitation", {"Precedence": "bulk"}),
        ("Re: An invitation", {"X_Autoreply": "yes"}),
        ("Re: An invitation", {"X_Autorespond": "An invitation"}),
        ("Out of Office: An invitation", {}),
        ("Automatic reply: An invitation", {}),
        ("Auto: An invitation", {}),
        ("Abwesenheitsnotiz", {}),
        ("Réponse automatique : An invitation", {}),
        ("自動応答: An invitation", {}),
        ("【自動返信】お問い合わせありがとうございます", {}),
        ("不在通知", {}),
        ("Re: 休暇のお知らせ", {}),
    ],
)
def test_a_program_that_answers_is_no_person(subject: str, headers: dict[str, str]) -> None:
    assert sort_of(answer("I am away until Monday.", subject=subject, **headers)) is Sort.AUTO_REPLY


def test_what_comes_without_a_sender_was_not_written_by_a_person() -> None:
    assert sort_of(answer("I am away until Monday."), sender="") is Sort.AUTO_REPLY


@pytest.mark.parametrize(
    ("subject", "headers"),
    [("Re: An invitation", {}), ("Re: An invitation", {"Auto_Submitted": "no"}), ("自動車の見積もりについて", {})],
)
def test_a_person_who_answers_is_no_program(subject: str, headers: dict[str, str]) -> None:
    assert sort_of(answer("Can I bring a friend?", subject=subject, **headers)) is Sort.REPLY


@pytest.mark.parametrize(
    ("subject", "text", "headers"),
    [
        ("Please confirm your message", "Click the link below and your message will be delivered. No spam!", {}),
        ("Re: An invitation", "hello", {"X_Challenge": "1"}),
        ("[Challenge] An invitation", "Reply to this mail to prove that you are a human sender.", {}),
    ],
)
def test_a_program_that_wants_a_proof_is_told_apart(subject: str, text: str, headers: dict[str, str]) -> None:
    assert sort_of(answer(text, subject=subject, **headers)) is Sort.CHALLENGE


@pytest.mark.parametrize(
    ("kind", "sort"),
    [
        ("abuse", Sort.COMPLAINT),
        ("fraud", Sort.COMPLAINT),
        ("other", Sort.COMPLAINT),
        ("opt-out", Sort.LEAVES),
        ("not-spam", Sort.NOTICE),
        ("auth-failure", Sort.NOTICE),
    ],
)
def test_a_provider_s_feedback_is_a_complaint_where_it_is_one(kind: str, sort: Sort) -> None:
    assert sort_of(complaint("1" * 32, kind), sender="") is sort


@pytest.mark.parametrize("by", ["return address", "message id"])
async def test_who_complains_gets_no_more_marketing(house: House, by: str) -> None:
    public_id = await house.mailed("hanako@example.jp")
    report = complaint("", sender=OURS.bounce(public_id)) if by == "return address" else complaint(public_id)

    await house.deliver(report, f"complaints@{DOMAIN}")

    assert await house.suppressed() == {"hanako@example.jp": "complaint"}
    assert await house.events() == ["Email Marked as Spam"]
    assert (await house.message(public_id)).complained_at is not None
    [consent] = await house.rows(Consent)
    assert (consent.given, consent.topic, consent.source) == (False, "marketing", "complaint")


async def test_a_program_s_answer_is_noted_and_nothing_else(house: House) -> None:
    public_id = await house.mailed("hanako@example.jp")

    await house.deliver(answer("Away.", subject="Out of office"), OURS.reply(public_id), sender="hanako@example.jp")

    assert await house.events() == ["Email Auto-Replied"]
    assert await house.tasks() == []
    assert (await house.message(public_id)).replied_at is None


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Yes.\n\nOn Mon, 2 Nov 2026 at 10:00, Shop <hello@shop.example> wrote:\n> Will you come?", "Yes."),
        ("Yes.\n\nOn Mon, 2 Nov 2026 at 10:00, Shop\n<hello@shop.example> wrote:\n\n> Will you come?", "Yes."),
        ("はい。\n\n2026年11月2日(月) 10:00 Shop <hello@shop.example>:\n> 来ますか", "はい。"),
        ("Ja.\n\nAm 02.11.26 um 10:00 schrieb Shop:\n> Kommen Sie?", "Ja."),
        ("Yes.\n\n-----Original Message-----\nFrom: Shop\nWill you come?", "Yes."),
        ("Yes.\n-- \nHanako\nExample K.K.", "Yes."),
        ("> Will you come?\nYes.", "Yes."),
        ("Yes.", "Yes."),
    ],
)
def test_what_they_quoted_is_not_what_they_wrote(text: str, new: str) -> None:
    assert written(text) == new


@pytest.mark.parametrize(
    ("text", "subject", "leaves"),
    [
        ("unsubscribe", "Re: An invitation", True),
        ("Unsubscribe me, please!", "Re: An invitation", True),
        ("Please stop sending me emails. Thanks", "", True),
        ("配信停止希望", "", True),
        ("メールの配信を停止してください", "", True),
        ("", "unsubscribe", True),
        ("", "Re: How to unsubscribe", False),
        ("How do I unsubscribe my colleague?", "", False),
        ("Stop by our office on Monday", "", False),
        ("配信停止の方法を教えてください", "", False),
        ("Thanks!", "unsubscribe", False),
        ("", "", False),
    ],
)
def test_a_wish_to_leave_is_one_only_where_nothing_else_is_said(text: str, subject: str, leaves: bool) -> None:
    assert wants_to_leave(text, subject) is leaves


@given(st.binary(max_size=2000), st.booleans())
def test_any_bytes_can_be_read(content: bytes, null: bool) -> None:
    assert read(content, sender="" if null else "a@example.org", domain=DOMAIN).key


@given(st.text(max_size=500))
def test_any_text_can_be_understood(text: str) -> None:
    assert len(written(text)) <= len(text)
    assert before_the_copy(text) == text[: len(before_the_copy(text))]
    assert isinstance(why(text)[0], Kind)
