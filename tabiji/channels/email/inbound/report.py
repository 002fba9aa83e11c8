"""Reports made for programs: delivery status notifications (RFC 3464) and feedback from providers (RFC 5965)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from enum import StrEnum

from tabiji.channels.email.inbound.prose import code_in, why
from tabiji.channels.email.inbound.words import children
from tabiji.domain.bounces import Kind, evidence_of, kind_of

_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})")
_ADDRESS = re.compile(r"[^\s<>;,()\"]+@[^\s<>;,()\"]+")


class Action(StrEnum):
    """What became of a recipient."""

    FAILED = "failed"
    DELAYED = "delayed"
    """It is still tried."""
    ARRIVED = "arrived"
    """Delivered, or handed on."""


_ACTIONS = {
    "failed": Action.FAILED,
    "failure": Action.FAILED,
    "error": Action.FAILED,
    "delayed": Action.DELAYED,
    "delivered": Action.ARRIVED,
    "relayed": Action.ARRIVED,
    "expanded": Action.ARRIVED,
}


@dataclass(frozen=True, slots=True)
class Fate:
    """Of one recipient.

    Attributes:
        addresses: As it was sent to first, then as it was found to be. Empty: the report names none.
        permanent: For good.
        evidence: Code and status, never prose.
    """

    addresses: tuple[str, ...]
    action: Action
    kind: Kind = Kind.OTHER
    permanent: bool = True
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """Somebody's word to their provider about a mail.

    Attributes:
        type: abuse, fraud, opt-out, not-spam …
        senders: Envelope senders it names: our return addresses, where the provider keeps them.
    """

    type: str
    senders: tuple[str, ...] = ()


def delivery_status(mail: Message) -> list[Fate]:
    """What a notification says of each recipient; nothing where it is none."""
    fates: list[Fate] = []
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            fates += _recipients(part)
    # The same person may be named once for each way their mail was handed on.
    return list(dict.fromkeys(fates))


def feedback(mail: Message) -> Feedback | None:
    """What a complaint says; None where it is none."""
    for part in mail.walk():
        if part.get_content_type() == "message/feedback-report":
            fields = _fields(part)
            kind = (fields.get("Feedback-Type") or "").strip().lower()
            senders = tuple(_ADDRESS.findall(" ".join(fields.get_all("Original-Mail-From", []))))
            return Feedback(kind or "abuse", senders)
    return None


def _recipients(report: Message) -> Iterator[Fate]:
    for fields in _blocks(report):
        addresses = tuple(
            found[0]
            for name in ("Original-Recipient", "Final-Recipient", "X-Actual-Recipient")
            if (found := _ADDRESS.search(_after_type(fields.get(name))))
        )
        action = _ACTIONS.get(re.split(r"[\s(;]", (fields.get("Action") or "").strip().lower())[0])
        if action is not None and (addresses or fields.get("Final-Recipient")):
            yield _fate(tuple(dict.fromkeys(addresses)), action, fields)


def _fate(addresses: tuple[str, ...], action: Action, fields: Message) -> Fate:
    status, said = _text(fields.get("Status")), _text(fields.get("Diagnostic-Code")).partition(";")[2]
    found = _STATUS.match(status)
    kind, proof = (kind_of(found[0].strip()), found[0].strip()) if found else (Kind.OTHER, None)
    if kind is Kind.OTHER:
        # Many servers say 5.0.0 and the reason in words.
        kind, other = why(f"{status[found.end() :] if found else status}\n{said}")
        proof = other or proof
    code = code_in(said)
    evidence = evidence_of(f"{code} {proof}" if code and proof and code != proof else proof or code)
    return Fate(addresses, action, kind, (proof or "5").startswith("5"), evidence)


def _blocks(report: Message) -> Iterator[Message]:
    """A notification's blocks of fields: one for the message, one for each recipient."""
    if parts := children(report):
        yield from parts
    else:
        payload = report.get_payload(decode=True)
        text = payload.decode("latin-1") if isinstance(payload, bytes) else ""
        yield from (HeaderParser().parsestr(block) for block in re.split(r"\n[ \t\r]*\n", text) if block.strip())


def _fields(part: Message) -> Message:
    return next(_blocks(part), Message())


def _after_type(field: object) -> str:
    text = _text(field)
    return text.partition(";")[2] if ";" in text else text


def _text(field: object) -> str:
    return str(field or "")
