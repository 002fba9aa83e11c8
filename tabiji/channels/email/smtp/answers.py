"""What a relay's refusal means: who or what it is about, and whether it may be tried again.

    read("rcpt", Reply(550, "5.1.1 no such user"))     for good: the address does not exist
    read("rcpt", Reply(452, "4.2.2 full"))             for now: the mailbox is full
    read("rcpt", Reply(554, "5.7.1 Relay access denied"))   for now, and our fault: the settings are wrong
    read("data", Reply(421, "4.3.2 going down"))       for now, and about the relay: another may take it

The enhanced status (RFC 3463) decides where there is one, else the code (RFC 5321). Where they disagree on whether it
is for good, the status is believed: it was written by whoever knew more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tabiji.channels.carrier import code_and_status
from tabiji.domain.bounces import Kind, kind_of

Stage = Literal["connect", "mail", "rcpt", "data"]
"""When it was said; `data` is both: instead of taking the message, and after having read it."""

GOING_AWAY = 421
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
# Refused for want of a login or of encryption, or because this relay will not relay for us: the settings are wrong,
# not the message.
_OUR_CODES = frozenset({530, 534, 535, 538})
_OUR_STATUSES = frozenset({"7.8", "7.9", "7.11", "7.13"})
_WILL_NOT_RELAY = re.compile(r"relay(ing)?\b.{0,40}\b(denied|not (allowed|permitted)|prohibited)|unable to relay", re.I)
_BY_CODE: dict[tuple[Stage, int], Kind] = {
    ("mail", 552): Kind.CONTENT,
    ("mail", 550): Kind.POLICY,
    ("mail", 553): Kind.POLICY,
    ("mail", 554): Kind.POLICY,
    ("rcpt", 550): Kind.HARD_BOUNCE,
    ("rcpt", 551): Kind.HARD_BOUNCE,
    ("rcpt", 552): Kind.MAILBOX_FULL,
    ("rcpt", 553): Kind.HARD_BOUNCE,
    ("rcpt", 554): Kind.POLICY,
    ("rcpt", 556): Kind.HARD_BOUNCE,
    ("data", 550): Kind.POLICY,
    ("data", 552): Kind.CONTENT,
    ("data", 554): Kind.CONTENT,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a relay said, its lines joined."""

    code: int
    text: str

    @property
    def said(self) -> str:
        """Without prose."""
        return code_and_status(self.code, self.text)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a refusal means.

    Attributes:
        outcome: For good, for now, or no answer to what was asked.
        kind: Why.
        relay: It is about the relay, not the message: another one may take it.
        ours: Our settings are wrong: somebody has to be told.
    """

    outcome: Literal["permanent", "temporary", "nonsense"]
    kind: Kind
    relay: bool = False
    ours: bool = False


def read(stage: Stage, reply: Reply) -> Verdict:
    """What it means that a relay said that instead of yes."""
    status = _STATUS.match(reply.text)
    detail = f"{status[2]}.{status[3]}" if status else None
    kind = kind_of(status[0]) if status else _BY_CODE.get((stage, reply.code), Kind.OTHER)
    if reply.code // 100 not in (4, 5):
        return Verdict("nonsense", Kind.OTHER)
    if _is_ours(reply, detail):
        return Verdict("temporary", Kind.POLICY, relay=True, ours=True)
    if stage == "connect":
        return Verdict("temporary", kind, relay=True, ours=reply.code // 100 == 5)
    permanent = (status[1] if status and status[1] in "45" else str(reply.code)[0]) == "5"
    if permanent and reply.code != GOING_AWAY:
        return Verdict("permanent", kind)
    about_relay = reply.code == GOING_AWAY or (detail or "").startswith(("3.", "4."))
    return Verdict("temporary", kind, relay=about_relay)


def _is_ours(reply: Reply, detail: str | None) -> bool:
    if reply.code in _OUR_CODES:
        return True
    if reply.code // 100 != 5:
        return False
    return detail in _OUR_STATUSES or bool(_WILL_NOT_RELAY.search(reply.text))
