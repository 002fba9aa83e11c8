"""Which decisions count: pure rules, over every order in which people may decide."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabiji.domain.consents import Decision, in_force
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.decide import decide
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Standing
from tabiji.domain.topics import EVERYTHING, LegalBasis, Topic, Topics
from tabiji.errors import JourneyDefinitionError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
YES, NO = Decision("news", True), Decision("news", False)
REQUEST = Decision("news", True, confirmed=False)
STOP = Decision(EVERYTHING, False)
TOPICS = Topics(
    [
        Topic("news", purpose="News, now and then.", version="1", double_opt_in=True),
        Topic("notices", interest="who uses the service must know when it changes"),
        Topic("receipts", transactional="an order is followed by its receipt"),
    ]
)
DECISIONS = st.lists(
    st.builds(Decision, st.sampled_from(["news", "notices"]), st.booleans(), st.booleans()) | st.just(STOP), max_size=8
)


def reason(topic: str, *decisions: Decision) -> str | None:
    agreed = in_force(decisions).of(topic)
    standing = Standing(address="a@example.jp", agreed={topic: agreed} if agreed else {})
    refused = decide(standing, Asked(topic=topic, at=NOON, first_at=NOON), House(zone=ZoneInfo("UTC"), topics=TOPICS))
    return refused.reason if refused is not None else None


@pytest.mark.parametrize(
    ("decisions", "why"),
    [
        ((), "no_consent"),
        ((YES,), None),
        ((YES, NO), "no_consent"),
        ((NO, YES), None),
        ((REQUEST,), "not_confirmed"),
        ((REQUEST, YES), None),
        ((YES, REQUEST), None),  # a stranger cannot take a right to mail away
        ((YES, NO, REQUEST), "not_confirmed"),  # nor give one back
        ((YES, STOP), "unsubscribed_from_all"),
        ((STOP,), "unsubscribed_from_all"),
        ((STOP, YES), None),  # a later yes counts for its topic
        ((YES, STOP, REQUEST), "not_confirmed"),
        ((STOP, Decision("other", True)), "unsubscribed_from_all"),
        ((STOP, Decision(EVERYTHING, True)), "unsubscribed_from_all"),  # nobody can agree to everything
    ],
)
def test_the_latest_certain_decision_counts(decisions: tuple[Decision, ...], why: str | None) -> None:
    assert reason("news", *decisions) == why


@given(DECISIONS)
def test_nobody_gets_mail_whose_last_certain_word_on_it_was_not_yes(decisions: list[Decision]) -> None:
    certain = [
        one for one in decisions
        if one == STOP or (one.topic == "news" and (one.confirmed or not one.given))
    ]  # fmt: skip # one condition
    agreed = bool(certain) and certain[-1].given
    assert (reason("news", *decisions) is None) == agreed
    assert ("news" in in_force(decisions).agreed) == agreed


@given(DECISIONS)
def test_what_needs_no_consent_goes_out_whatever_was_decided(decisions: list[Decision]) -> None:
    assert reason("receipts", *decisions) is None


def test_on_a_legitimate_interest_silence_is_enough_and_a_no_is_a_no() -> None:
    """GDPR, article 21: people may object, and each such mail shows how."""
    assert reason("notices") is None
    assert reason("notices", Decision("notices", False)) == "no_consent"
    assert reason("notices", STOP) == "unsubscribed_from_all"
    notices = TOPICS.get("notices")
    assert notices is not None
    assert notices.refusable


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ({"transactional": " "}, "need a reason"),
        ({"basis": LegalBasis.CONTRACT}, "need a reason"),
        ({"basis": LegalBasis.LEGAL_OBLIGATION}, "need a reason"),
        ({"basis": LegalBasis.LEGITIMATE_INTEREST}, "needs to be told"),
        ({"basis": LegalBasis.CONSENT, "transactional": "x", "purpose": "p", "version": "1"}, "goes with"),
        ({"interest": "x", "transactional": "x"}, "goes with"),
        ({}, "people agree to a purpose"),
        ({"purpose": {"en": "Mails.", "ja": " "}, "version": "1"}, "people agree to a purpose"),
        ({"purpose": "Mails."}, "version of its purpose"),
        ({"transactional": "x", "double_opt_in": True}, "needs none"),
    ],
)
def test_each_basis_asks_for_what_the_law_asks_of_it(topic: dict[str, object], words: str) -> None:
    with pytest.raises(JourneyDefinitionError, match=words):
        Topic("news", **topic)  # type: ignore[arg-type] # any arguments


def test_words_are_told_in_the_persons_language_or_in_one_there_is() -> None:
    topic = Topic("news", title={"ja": "お知らせ", "en": "News"}, purpose={"en": "Mails.", "ja": "メール"}, version="1")
    assert (topic.title_in("ja-JP"), topic.purpose_in("fr"), topic.title_in(None)) == ("お知らせ", "Mails.", "News")
