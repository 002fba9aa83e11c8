"""Answers of programs told apart from those of people (RFC 3834)."""

from __future__ import annotations

import re
from email.message import Message
from enum import StrEnum

from tabiji.channels.email.inbound.words import header


class Answerer(StrEnum):
    """What sort of program answered."""

    RESPONDER = "auto_reply"
    """They are away, or a desk has a number for it."""
    CHALLENGE = "challenge"
    """It wants a proof that a person wrote before it lets mail in."""


_PRECEDENCE = frozenset({"auto_reply", "auto-reply", "bulk", "junk", "list"})
_MARKS = (
    "X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply-From", "X-AutoReply-From", "X-Mail-Autoreply",
    "X-Vacation", "X-Cron-Env", "Vacation",
)  # fmt: skip # one list
_SUBJECT = re.compile(
    r"^\s*(?:(?:re|aw|sv|vs|fwd?)\s*:\s*)*\W*(?:out of (?:the )?office|automatic reply|automatische antwort"
    r"|auto(?:matic)?[ -]?(?:reply|response|responder|antwort)|autoreply|auto ?:|vacation"
    r"|away from (?:the |my )?(?:office|desk)|on (?:vacation|holiday|leave)\b|abwesenheit|r[ée]ponse automatique"
    r"|respuesta autom[áa]tica|resposta autom[áa]tica"
    r"|risposta automatica|自動(?:応答|返信|回答)|不在|休暇|夏季休業|年末年始"
    r"|お問い?合わせ(?:いただき|を受け)?.{0,12}(?:ありがとう|受付))",
    re.IGNORECASE,
)
_CHALLENGE_MARKS = ("X-Challenge", "X-TMDA-Confirm", "X-ASK-Auth", "X-Boxbe-Challenge", "X-Spamarrest")
_CHALLENGE_FROM = re.compile(r"(?:spamarrest|boxbe|bluebottle|mailblocks|sendio|choicemail|0spam)\.", re.IGNORECASE)
_CHALLENGE_TEXT = re.compile(
    r"(?:(?:click|follow|visit|reply|respond|confirm)\b.{0,160}?"
    r"(?:deliver|release|verif|prove|whitelist|approved? sender)"
    r".{0,160}?(?:sender|human|person|spam|message|e-?mail))",
    re.IGNORECASE | re.DOTALL,
)
_CHALLENGE_SUBJECT = re.compile(
    r"(?:confirm|verif\w+|challenge|authenticat\w+).{0,40}(?:sender|e-?mail|message|delivery)|\[challenge\]"
    r"|sender verification|please confirm your (?:message|e-?mail)",
    re.IGNORECASE,
)


def subject_of_a_program(subject: str) -> bool:
    """Whether a subject is one that responders write, in a few languages."""
    return _SUBJECT.search(subject) is not None


def answered_by_program(mail: Message, text: str, *, null_sender: bool) -> Answerer | None:
    """Which sort of program answered; None: it seems to be a person.

    Args:
        mail: What came in, and is no report of a failure.
        text: What it says.
        null_sender: It came with an empty envelope sender, as RFC 3834 asks of responders.
    """
    subject, sender = header(mail, "Subject"), header(mail, "From")
    by_program = _marked(mail) or null_sender or subject_of_a_program(subject)
    if any(mail.get(name) for name in _CHALLENGE_MARKS) or _CHALLENGE_FROM.search(sender):
        return Answerer.CHALLENGE
    if _CHALLENGE_SUBJECT.search(subject) and _CHALLENGE_TEXT.search(text[:4000]):
        return Answerer.CHALLENGE
    return Answerer.RESPONDER if by_program else None


def _marked(mail: Message) -> bool:
    submitted = header(mail, "Auto-Submitted").strip().lower()
    if submitted and not submitted.startswith("no"):
        return True
    return header(mail, "Precedence").strip().lower() in _PRECEDENCE or any(mail.get(name) for name in _MARKS)
