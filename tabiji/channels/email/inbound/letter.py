"""One mail that came in: what sort it is, and what it says about messages of ours."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import Message
from email.utils import parseaddr
from enum import StrEnum
from typing import cast

from flufl.bounce import all_failures  # pyright: ignore[reportUnknownVariableType] # its argument has no type

from tabiji.channels.email.inbound.answer import wants_to_leave, written
from tabiji.channels.email.inbound.automatic import Answerer, answered_by_program, subject_of_a_program
from tabiji.channels.email.inbound.prose import about, before_the_copy, why
from tabiji.channels.email.inbound.report import Action, Fate, delivery_status, feedback
from tabiji.channels.email.inbound.words import first_text, header
from tabiji.domain.bounces import Kind

MOST_NAMED = 50
"""Messages one mail may name: more is not about us."""
_MACHINE = re.compile(r"mailer[-_ ]?daemon|postmaster|mail delivery|delivery subsystem|jetmail|\bndr@", re.IGNORECASE)
_BOUNCED = re.compile(
    r"could not be delivered|undeliver|non[- ]?delivery|not delivered|delivery (?:status|failure|failed|problem|report"
    r"|notification)|returned mail|mail error|failure (?:notice|delivery)|mail delivery|non remis|message delay"
    r"|配信(?:不能|エラー)|送信エラー|配送(?:不能|エラー)",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"^\s*(?:re|aw|sv|antw|回复|返信)\s*[:\uff1a]", re.IGNORECASE)
_MESSAGE_ID = re.compile(rb"<([0-9a-fA-F]{32})@[^\s<>@]{1,255}>")
_SIGNED = rb"\b[br]\+[0-9a-f]{1,45}\.[0-9a-f]{16}@"
_STILL_TRIED = re.compile(
    r"(?:attempts? will (?:continue|be)|will (?:be retried|continue to)|has been (?:postponed|delayed))"
)


class Sort(StrEnum):
    """What a mail that came in is."""

    FAILURE = "failure"
    DELAY = "delay"
    """It has not arrived yet, and is still tried: nothing follows from it."""
    ARRIVED = "arrived"
    COMPLAINT = "complaint"
    LEAVES = "leaves"
    """A person, or their provider for them, asks for no more, and says nothing else."""
    REPLY = "reply"
    AUTO_REPLY = "auto_reply"
    CHALLENGE = "challenge"
    NOTICE = "notice"
    """A provider's word that asks for nothing."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that came in.

    Attributes:
        key: The same when the same mail comes again.
        fates: Of the recipients a report names; one without an address where it names none.
        messages: Public ids it quotes, which nobody has signed.
        addresses: What looks like an address of ours and may be signed.
        text: What a person wrote.
    """

    key: str
    sort: Sort
    fates: tuple[Fate, ...] = ()
    messages: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    text: str = ""


def read(content: bytes, *, sender: str, domain: str) -> Letter:
    """Understand a mail.

    Args:
        content: As it came.
        sender: Of its envelope; empty for what must never be answered.
        domain: Where mail comes back to: addresses there are looked for.
    """
    mail = message_from_bytes(content)
    sort, fates, text = _understood(mail, null_sender=not sender)
    ids = [found[1].decode("ascii").lower() for found in _MESSAGE_ID.finditer(content)]
    near = (found[0].decode("ascii") for found in re.finditer(_SIGNED + re.escape(domain.encode()), content, re.I))
    return Letter(
        key=_key(mail, content),
        sort=sort,
        fates=tuple(fates),
        messages=_first(ids),
        addresses=_first(near),
        text=text,
    )


def _understood(mail: Message, *, null_sender: bool) -> tuple[Sort, Sequence[Fate], str]:
    if (told := feedback(mail)) is not None:
        return _FEEDBACK.get(told.type, Sort.COMPLAINT), (), ""
    subject, text = header(mail, "Subject"), first_text(mail)
    if fates := delivery_status(mail):
        return *_worst(_with_reasons(fates, text)), ""
    by_machine = null_sender or _MACHINE.search(header(mail, "From")) is not None or _says_it_came_back(subject)
    if by_machine and (fates := list(_by_library(mail, f"{subject}\n{before_the_copy(text)}"))):
        return *_worst(fates), ""
    if by_machine and _says_it_came_back(subject):
        kind, proof = why(before_the_copy(text))
        return Sort.FAILURE, [Fate((), Action.FAILED, kind, _for_good(proof), proof)], ""
    answer = written(text)
    match answered_by_program(mail, text, null_sender=null_sender):
        case Answerer.CHALLENGE:
            return Sort.CHALLENGE, (), ""
        case Answerer.RESPONDER:
            return Sort.AUTO_REPLY, (), ""
        case None:
            return (Sort.LEAVES if wants_to_leave(answer, subject) else Sort.REPLY), (), answer or text.strip()


_FEEDBACK = {"not-spam": Sort.NOTICE, "auth-failure": Sort.NOTICE, "dmarc": Sort.NOTICE, "opt-out": Sort.LEAVES}
"""What of a provider's feedback is no complaint; everything else is: abuse, fraud, virus, other."""


def _with_reasons(fates: Sequence[Fate], text: str) -> list[Fate]:
    """Where a notification's fields give no reason, the words beside them may."""
    said = before_the_copy(text)
    named = [address for fate in fates for address in fate.addresses]
    return [_explained(fate, said, named) if fate.action is Action.FAILED else fate for fate in fates]


def _explained(fate: Fate, text: str, named: Sequence[str]) -> Fate:
    if fate.kind is not Kind.OTHER:
        return fate
    address = next((one for one in fate.addresses if one.lower() in text.lower()), "")
    others = [one for one in named if one not in fate.addresses]
    kind, proof = why(about(text, address, others) if address else text)
    return replace(fate, kind=kind, evidence=proof or fate.evidence)


def _by_library(mail: Message, text: str) -> Iterator[Fate]:
    """Whom the kept library finds in reports made for people, and why, in the words about them."""
    delayed, failed = _scanned(mail)
    named = sorted(delayed | failed)
    for address in named:
        if address in delayed or _STILL_TRIED.search(" ".join(text.split()).lower()):
            yield Fate((address,), Action.DELAYED)
        else:
            kind, proof = why(about(text, address, named))
            yield Fate((address,), Action.FAILED, kind, _for_good(proof), proof)


def _scanned(mail: Message) -> tuple[set[str], set[str]]:
    """Who waits and who has failed, as the library sees it. It trips over some mails, such as one without From."""
    try:
        found = cast("tuple[Iterable[bytes], Iterable[bytes]]", all_failures(mail))
    except Exception:
        return set(), set()
    delayed, failed = ({one.decode("ascii", "ignore") for one in part} for part in found)
    return delayed, failed


def _worst(fates: Sequence[Fate]) -> tuple[Sort, Sequence[Fate]]:
    actions = {fate.action for fate in fates}
    if Action.FAILED in actions:
        return Sort.FAILURE, fates
    return (Sort.DELAY if Action.DELAYED in actions else Sort.ARRIVED), fates


def _says_it_came_back(subject: str) -> bool:
    plain = _ANSWER.match(subject) is None and not subject_of_a_program(subject)
    return plain and _BOUNCED.search(subject) is not None


def _for_good(proof: str | None) -> bool:
    return not (proof or "5").startswith("4")


def _key(mail: Message, content: bytes) -> str:
    """By its own name, which stays the same when a server hands it over again with other headers before it."""
    named = header(mail, "Message-ID")
    if not named:
        _, _, body = content.replace(b"\r\n", b"\n").partition(b"\n\n")
        named = f"{header(mail, 'Date')} {hashlib.sha256(body).hexdigest()}"
    who = parseaddr(header(mail, "From"))[1].lower()
    return hashlib.sha256(f"{who}\n{named}".encode()).hexdigest()


def _first(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))[:MOST_NAMED]
