"""What a reason means and what to do about it, for people who ask why a mail was not sent.

A reason is a stable code, in some cases followed by a colon and what it depends on: ``suppressed: hard_bounce``. Rules
of time may hold a mail back together: ``quiet hours and cap: 2 per 1 day``.
"""

from __future__ import annotations

from typing import NamedTuple


class Meaning(NamedTuple):
    """Of a reason."""

    says: str
    remedy: str


REASONS: dict[str, Meaning] = {
    "no_address": Meaning("We know no e-mail address of theirs.", "Send one with `identify`, or leave them be."),
    "invalid_address": Meaning("Their address cannot be written to by SMTP.", "Correct it with `identify`."),
    "no_consent": Meaning(
        "They have not agreed to this topic, or have taken it back.",
        "Ask them with a form; record what was agreed elsewhere with POST /v1/contacts/{id}/consents.",
    ),
    "not_confirmed": Meaning(
        "Somebody has agreed for this address, and the address has not confirmed it yet.",
        "They must follow the link in the confirmation mail; `tabiji contact` shows when they were asked.",
    ),
    "unsubscribed_from_all": Meaning(
        "They want no more mail that needs consent.", "Nothing: only they can change that, on their preference page."
    ),
    "suppressed": Meaning(
        "Their address, or its domain, is on the list of those that are not written to.",
        "`tabiji suppress list` says since when and why; take it off only when you know better than the bounce.",
    ),
    "replied": Meaning(
        "They have answered a mail, and a person of ours has not dealt with it yet.",
        "Answer them and close the task: marketing goes on by itself.",
    ),
    "held_out": Meaning(
        "They are in the group that gets no marketing, so that its effect can be measured.",
        "Nothing; the share is a setting.",
    ),
    "quiet hours": Meaning("It is night where they are.", "It goes out in the morning."),
    "quiet day": Meaning(
        "It is a day of the week on which nobody is written to.", "It goes out on the next other day."
    ),
    "holiday": Meaning("It is a public holiday where they live.", "It goes out on the next other day."),
    "cap": Meaning(
        "They have had as many messages as the caps allow.", "It goes out when the oldest no longer counts."
    ),
    "priority": Meaning("A message that matters more waits for the same room under a cap.", "It goes out after that."),
    "too late": Meaning(
        "Rules of time held it back for longer than its author allows.",
        "Allow more with `send_email(…, delay=days(2))`, or relax the rule named.",
    ),
    "deferred_too_often": Meaning(
        "It was put off five times, each time for a good reason.", "Look at the rules of time: they leave little room."
    ),
    "breaker": Meaning(
        "Something wanted to write to one person, or to let people in, much faster than anybody means to.",
        "Read the alarm, mend the journey, then `tabiji resume`.",
    ),
    "test_recipient_not_allowed": Meaning(
        "A rehearsal, and the relay could reach real people.",
        "Set TABIJI_SMTP_CATCHES_ALL where the relay is an inbox for tests.",
    ),
    "merged": Meaning("They turned out to be somebody who has had it already.", "Nothing."),
    "cancelled": Meaning(
        "The broadcast was cancelled before it came to them.", "Nothing; a new broadcast can be made."
    ),
}
"""By the part of a reason before its colon."""

STATES: dict[str, str] = {
    "sent": "The relay has taken it.",
    "deferred": "It waits: not before the time shown.",
    "refused": "It was not sent, on purpose.",
    "failed": "The relay will never take it, or took too long to.",
    "retry": "The relay did not take it now; it is tried again.",
    "claimed": "It is being sent.",
    "on_wire": "It is being sent, and may have arrived.",
    "unknown": "It may have gone out; nobody knows, and it is not repeated.",
    "dropped": "Its journey ended before it could go out.",
}


def meaning_of(reason: str | None) -> Meaning | None:
    """What a reason means; None for words of a relay or of an author."""
    return None if reason is None else REASONS.get(reason.partition(":")[0].partition(" and ")[0])
