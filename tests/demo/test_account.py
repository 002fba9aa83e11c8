"""The reckoning sees what it is there to see."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from demo.account import IGNORED_EVERYTHING, Seen, disturbed, missing, told_to_temporal, twice
from demo.histories import History
from demo.inbox import Mail
from demo.site import Person, Said, Travelling
from demo.visitors import Visitor

KENTA = Visitor("Kenta", "kenta@example.net", "Nemuri", 0.3)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _said(kind: str, **told: object) -> Said:
    return Said(kind, NOON, {"kind": kind, **told})


def _mail(id: str, **other: str) -> Mail:
    known = {"to": KENTA.email, "subject": "s", "message_id": f"<{id}@example.com>", "text": "", "html": ""}
    return Mail(**{**known, **other})


def _seen() -> Seen:
    timeline = [_said("consent", topic="marketing", given=True), _said("event", name="Form Submitted")]
    timeline += [_said("enrollment", journey=name, state=state) for name, state in IGNORED_EVERYTHING.journeys]
    timeline += [
        _said("message", id=f"m{place}", template=template, audience="contact", state="sent")
        for place, template in enumerate(IGNORED_EVERYTHING.mails)
    ]
    person = Person("c", KENTA.email, 0, frozenset(), {"marketing": "form:whitepaper"}, tuple(timeline))
    travels = [Travelling(name, name, state, None, (), "") for name, state in IGNORED_EVERYTHING.journeys]
    return Seen(KENTA, person, travels, [_mail("m0"), _mail("m1"), _mail("m2")])


def _missing(seen: Seen) -> list[str]:
    return [one.what for one in missing(seen, IGNORED_EVERYTHING)]


def test_when_all_is_as_it_should_be_nothing_is_missing() -> None:
    assert _missing(_seen()) == []


def test_a_mail_the_ledger_calls_sent_but_nobody_received_is_missing() -> None:
    seen = _seen()
    assert _missing(replace(seen, mails=seen.mails[1:])) == ["Kenta: whitepaper/welcome is in the inbox"]


def test_a_mail_nobody_meant_to_send_is_noticed() -> None:
    seen = _seen()
    found = _missing(replace(seen, mails=[*seen.mails, _mail("other")]))
    assert found == ["Kenta: nothing else is in the inbox (1 more mails are)"]


def test_sales_must_not_hear_of_somebody_who_did_nothing() -> None:
    seen = _seen()
    notice = _mail("n", to="sales@example.com", text=f"Look at {KENTA.email}")
    assert _missing(replace(seen, mails=[*seen.mails, notice])) == ["Kenta: sales has 0 mails about them (it has 1)"]


def test_an_event_that_counted_twice_is_noticed() -> None:
    seen = _seen()
    assert seen.person
    person = replace(seen.person, timeline=(*seen.person.timeline, _said("event", name="Form Submitted")))
    assert _missing(replace(seen, person=person)) == ["Kenta: the timeline has Form Submitted once (it has it 2 times)"]


def test_nobody_is_missing_everything_else_too() -> None:
    assert _missing(replace(_seen(), person=None)) == ["Kenta is a contact"]


def test_a_mail_in_the_night_is_noticed_by_the_clock_on_the_persons_wall() -> None:
    person = _seen().person
    assert person
    quiet = (time(21), time(8))
    assert list(disturbed(person, ZoneInfo("Europe/Berlin"), quiet)) == []
    assert len(list(disturbed(person, ZoneInfo("Asia/Tokyo"), quiet))) == 3  # noon in Greenwich is 21:00 there


@pytest.mark.parametrize(("allowed", "found"), [(False, 1), (True, 0)])
def test_a_mail_that_came_twice_is_let_pass_only_under_chaos(*, allowed: bool, found: int) -> None:
    assert len(list(twice([_mail("m"), _mail("m")], allowed=allowed))) == found


@pytest.mark.parametrize("written", ["KENTA@example.net", "x kenta y", '{"company": "Nemuri"}', r"\u82b1\u5b50"])
def test_a_name_or_an_address_in_a_history_is_found_however_it_is_written(written: str) -> None:
    history = History("w", "completed", 9, b"\x0a\x05" + written.encode() + b"\x12")
    assert list(told_to_temporal([history], [KENTA, replace(KENTA, first_name="花子")]))


def test_ids_alone_are_no_find() -> None:
    assert not list(told_to_temporal([History("w", "completed", 9, b"\x0a01a201f1-a678")], [KENTA]))
