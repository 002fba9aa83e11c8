"""What a failure means for its address: rules without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabiji.channels.email.addresses import Returned, Returns
from tabiji.domain.bounces import (
    EFFECTS,
    NAMES,
    Effect,
    Fate,
    Kind,
    SoftRule,
    effect,
    evidence_of,
    kind_of,
    soft_in_a_row,
    soft_until,
)
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Standing, Suppressed
from tabiji.domain.sending.suppressed import not_suppressed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RULE = SoftRule(times=3)
DAYS = st.integers(min_value=0, max_value=60).map(lambda days: NOW - timedelta(days=days, minutes=1))
FATES = st.lists(
    st.builds(Fate, at=DAYS, bounce=st.sampled_from([None, "hard", "soft", "blocked"]), alive=st.booleans()),
    max_size=12,
)


def test_every_kind_has_its_effect() -> None:
    assert set(EFFECTS) == {(kind, permanent) for kind in Kind for permanent in (True, False)}
    assert set(NAMES) == set(Effect)


def test_only_an_address_that_does_not_exist_is_given_up_at_once() -> None:
    assert [pair for pair, does in EFFECTS.items() if does is Effect.SUPPRESS] == [(Kind.HARD_BOUNCE, True)]


@pytest.mark.parametrize("kind", [Kind.POLICY, Kind.CONTENT])
def test_nobody_is_punished_for_how_our_mail_looked(kind: Kind) -> None:
    assert {effect(kind, permanent=one) for one in (True, False)} == {Effect.NOTHING}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("5.1.1", Kind.HARD_BOUNCE),
        ("4.1.1", Kind.HARD_BOUNCE),
        ("5.1.2", Kind.HARD_BOUNCE),
        ("5.1.10", Kind.HARD_BOUNCE),
        ("5.2.1", Kind.HARD_BOUNCE),
        ("5.2.2", Kind.MAILBOX_FULL),
        ("5.2.3", Kind.CONTENT),
        ("5.3.4", Kind.CONTENT),
        ("5.6.0", Kind.CONTENT),
        ("5.7.1", Kind.POLICY),
        ("5.7.26", Kind.POLICY),
        ("5.1.8", Kind.POLICY),
        ("5.0.0", Kind.OTHER),
        ("5.4.4", Kind.OTHER),
        ("550", Kind.OTHER),
        (None, Kind.OTHER),
    ],
)
def test_a_status_says_why(status: str | None, kind: Kind) -> None:
    assert kind_of(status) is kind


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("550 5.1.1 <hanako@example.jp>: no such user", "550 5.1.1"),
        ("550-5.7.1 [192.0.2.1] blocked", "550 5.7.1"),
        ("550", "550"),
        ("5.1.1", "5.1.1"),
        ("hanako@example.jp", None),
        ("", None),
        (None, None),
    ],
)
def test_of_an_answer_code_and_status_are_kept_and_no_prose(text: str | None, evidence: str | None) -> None:
    assert evidence_of(text) == evidence


@given(FATES)
def test_a_delivery_begins_the_count_anew(fates: list[Fate]) -> None:
    later = [Fate(at=NOW - timedelta(seconds=1), alive=True)]

    assert soft_in_a_row(fates + later, now=NOW, rule=RULE) == 0


@given(FATES)
def test_what_was_blocked_changes_no_count(fates: list[Fate]) -> None:
    blocked = [Fate(at=NOW - timedelta(days=day), bounce="blocked") for day in (0, 5, 40)]

    assert soft_in_a_row(fates + blocked, now=NOW, rule=RULE) == soft_in_a_row(fates, now=NOW, rule=RULE)


@given(FATES, st.integers(min_value=0, max_value=9))
def test_one_more_soft_bounce_counts_one_more(fates: list[Fate], seconds: int) -> None:
    again = [Fate(at=NOW - timedelta(seconds=seconds), bounce="soft")]

    assert soft_in_a_row(fates + again, now=NOW, rule=RULE) == soft_in_a_row(fates, now=NOW, rule=RULE) + 1


@given(FATES)
def test_the_order_in_which_messages_are_read_changes_nothing(fates: list[Fate]) -> None:
    assert soft_in_a_row(reversed(fates), now=NOW, rule=RULE) == soft_in_a_row(fates, now=NOW, rule=RULE)


def test_what_is_older_than_the_rule_looks_does_not_count() -> None:
    old = [Fate(at=NOW - timedelta(days=31 + day), bounce="soft") for day in range(9)]

    assert soft_until(old, now=NOW, rule=RULE) is None


def test_enough_in_a_row_suppresses_for_a_while() -> None:
    fates = [Fate(at=NOW - timedelta(days=day), bounce="soft") for day in (1, 5, 9)]

    assert soft_until(fates, now=NOW, rule=RULE) == NOW + RULE.lasts
    assert soft_until(fates[1:], now=NOW, rule=RULE) is None


def test_silence_is_a_delivery_once_it_has_lasted() -> None:
    soft = [Fate(at=NOW - timedelta(days=day), bounce="soft") for day in (0, 8, 9)]

    assert soft_in_a_row([*soft, Fate(at=NOW - timedelta(days=5))], now=NOW, rule=RULE) == 1
    assert soft_in_a_row([*soft, Fate(at=NOW - timedelta(days=1))], now=NOW, rule=RULE) == 3


@given(st.text("0123456789abcdef", min_size=1, max_size=45), st.text(min_size=1))
def test_an_address_is_read_by_who_made_it_and_by_nobody_else(message: str, secret: str) -> None:
    ours, theirs = Returns("our secret", "Mail.Shop.example."), Returns(f"not {secret}", "mail.shop.example")

    assert ours.read(ours.bounce(message)) == Returned("bounce", message)
    assert ours.read(ours.reply(message).upper()) == Returned("reply", message)
    assert theirs.read(ours.bounce(message)) is None
    assert ours.read(ours.bounce(message).replace("b+", "r+")) is None
    assert ours.read(ours.bounce(message).replace("@mail.", "@m.")) is None


@given(st.text())
def test_any_text_can_be_asked_whether_it_is_an_address_of_ours(text: str) -> None:
    assert Returns("secret", "mail.shop.example").read(text) is None


@pytest.mark.parametrize(
    ("entry", "topic", "reason"),
    [
        (Suppressed("hard_bounce"), "marketing", "suppressed: hard_bounce"),
        (Suppressed("hard_bounce"), "transactional", "suppressed: hard_bounce"),
        (Suppressed("complaint", transactional=False), "marketing", "suppressed: complaint"),
        (Suppressed("complaint", transactional=False), "transactional", None),
        (Suppressed("soft_bounces", until=NOW + timedelta(seconds=1)), "marketing", "suppressed: soft_bounces"),
        (Suppressed("soft_bounces", until=NOW), "marketing", None),
    ],
)
def test_an_entry_stops_what_it_is_for_as_long_as_it_lasts(entry: Suppressed, topic: str, reason: str | None) -> None:
    verdict = not_suppressed(
        Standing(address="hanako@example.jp", suppressed=(entry,)),
        Asked(topic=topic, at=NOW, first_at=NOW),
        House(zone=ZoneInfo("UTC")),
    )

    assert (verdict.reason if verdict is not None else None) == reason


@pytest.mark.parametrize(
    ("topic", "until", "reason"),
    [
        ("marketing", NOW + timedelta(days=1), "replied"),
        ("marketing", NOW, None),
        ("transactional", NOW + timedelta(days=1), None),
    ],
)
def test_who_answered_gets_no_marketing_for_a_while(topic: str, until: datetime, reason: str | None) -> None:
    verdict = not_suppressed(
        Standing(address="hanako@example.jp", replied=until),
        Asked(topic=topic, at=NOW, first_at=NOW),
        House(zone=ZoneInfo("UTC")),
    )

    assert (verdict.reason if verdict is not None else None) == reason
