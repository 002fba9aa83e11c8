"""What refusals mean, by a table written by hand."""

from __future__ import annotations

import pytest

from tabiji.channels.email.smtp.answers import Reply, Stage, Verdict, read
from tabiji.domain.bounces import Kind

GOOD, NOW = "permanent", "temporary"


@pytest.mark.parametrize(
    ("stage", "code", "text", "outcome", "kind"),
    [
        # The status says why, whatever the code.
        ("rcpt", 550, "5.1.1 <x@example.jp> unknown", GOOD, Kind.HARD_BOUNCE),
        ("data", 550, "5.1.1 unknown", GOOD, Kind.HARD_BOUNCE),
        ("rcpt", 550, "5.1.2 no such domain", GOOD, Kind.HARD_BOUNCE),
        ("rcpt", 550, "5.2.1 mailbox disabled", GOOD, Kind.HARD_BOUNCE),
        ("rcpt", 552, "5.2.2 mailbox full", GOOD, Kind.MAILBOX_FULL),
        ("rcpt", 452, "4.2.2 mailbox full", NOW, Kind.MAILBOX_FULL),
        ("data", 552, "5.2.2 mailbox full", GOOD, Kind.MAILBOX_FULL),
        ("data", 552, "5.3.4 too big", GOOD, Kind.CONTENT),
        ("data", 554, "5.7.1 looks like spam", GOOD, Kind.POLICY),
        ("data", 554, "5.6.0 unreadable", GOOD, Kind.CONTENT),
        ("rcpt", 451, "4.7.1 greylisted", NOW, Kind.POLICY),
        ("rcpt", 450, "4.2.0 greylisted", NOW, Kind.OTHER),
        ("mail", 553, "5.1.8 sender's domain unknown", GOOD, Kind.POLICY),
        # Where the two disagree, the status is believed.
        ("rcpt", 550, "4.2.2 full just now", NOW, Kind.MAILBOX_FULL),
        ("rcpt", 450, "5.1.1 unknown", GOOD, Kind.HARD_BOUNCE),
        # Without a status the code, and when it was said.
        ("rcpt", 550, "no such user", GOOD, Kind.HARD_BOUNCE),
        ("rcpt", 551, "user not local", GOOD, Kind.HARD_BOUNCE),
        ("rcpt", 552, "exceeded storage allocation", GOOD, Kind.MAILBOX_FULL),
        ("mail", 552, "message size exceeds limit", GOOD, Kind.CONTENT),
        ("data", 552, "message size exceeds limit", GOOD, Kind.CONTENT),
        ("rcpt", 553, "mailbox name not allowed", GOOD, Kind.HARD_BOUNCE),
        ("mail", 550, "your domain is blocked", GOOD, Kind.POLICY),
        ("data", 550, "blocked", GOOD, Kind.POLICY),
        ("data", 554, "transaction failed", GOOD, Kind.CONTENT),
        ("rcpt", 556, "domain does not accept mail", GOOD, Kind.HARD_BOUNCE),
        ("rcpt", 450, "mailbox unavailable", NOW, Kind.OTHER),
        ("rcpt", 501, "syntax", GOOD, Kind.OTHER),
    ],
)
def test_a_refusal_of_a_message_is_for_now_or_for_good_and_says_why(
    stage: Stage, code: int, text: str, outcome: str, kind: Kind
) -> None:
    verdict = read(stage, Reply(code, text))
    assert (verdict.outcome, verdict.kind, verdict.relay, verdict.ours) == (outcome, kind, False, False)


@pytest.mark.parametrize(
    ("stage", "code", "text"),
    [
        ("mail", 421, "4.3.2 going down"),
        ("rcpt", 421, "too many connections"),
        ("data", 421, "5.3.2 going down"),
        ("rcpt", 452, "4.3.1 no space"),
        ("data", 451, "4.3.0 queue trouble"),
        ("data", 451, "4.4.1 no route"),
        ("connect", 421, "come later"),
    ],
)
def test_a_relay_with_trouble_of_its_own_is_not_the_messages_fault(stage: Stage, code: int, text: str) -> None:
    verdict = read(stage, Reply(code, text))
    assert (verdict.outcome, verdict.relay, verdict.ours) == (NOW, True, False)


@pytest.mark.parametrize(
    ("stage", "code", "text"),
    [
        ("mail", 530, "5.7.0 authentication required"),
        ("connect", 535, "5.7.8 bad credentials"),
        ("connect", 554, "no SMTP service here"),
        ("mail", 538, "encryption required"),
        ("rcpt", 554, "5.7.1 <x@example.jp>: Relay access denied"),
        ("rcpt", 550, "5.7.1 Unable to relay"),
        ("rcpt", 550, "relaying not allowed"),
        ("mail", 550, "5.7.8 log in"),
    ],
)
def test_wrong_settings_fail_no_message_for_good_and_somebody_is_told(stage: Stage, code: int, text: str) -> None:
    verdict = read(stage, Reply(code, text))
    assert (verdict.outcome, verdict.relay, verdict.ours) == (NOW, True, True)


def test_a_yes_where_none_can_be_is_nonsense() -> None:
    assert read("data", Reply(250, "ok")) == Verdict("nonsense", Kind.OTHER)
