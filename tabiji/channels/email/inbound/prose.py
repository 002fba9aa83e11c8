"""Reports made for people: why a mail did not arrive, in the words of many servers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tabiji.domain.bounces import Kind, kind_of

LONGEST = 20_000
"""Characters of a report that are looked at."""

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[ -]+(?:<|#?[45]\.|[A-Za-z{]))")

# Where the report ends, and what was sent begins: nothing in that says why it did not arrive.
_COPY = re.compile(
    r"^[^\w\n]{0,80}(?:this is a copy of the message|below (?:this line|the next line|is a copy)|here is a copy"
    r"|(?:the )?(?:header of the )?(?:original|source|returned|unsent) (?:mail|message)\b(?! (?:was|has|is))"
    r"|start of returned|returned mail follows|message (?:text|headers?) follow|forwarded message"
    r"|the header(?: and top \d+ lines)? of the|a copy of the original|mensaje original|original message"
    r"|included is a copy|your message reads|the first \d+ lines|a summary of the undelivered"
    r"|the (?:non-delivered|original) message)",
    re.IGNORECASE | re.MULTILINE,
)

_WORDS: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile("|".join(words), re.IGNORECASE))
    for kind, words in (
        (
            Kind.MAILBOX_FULL,
            (
                r"quota",
                r"(?:mail ?box|mailfolder|inbox)\W+(?:\w+\W+){0,3}full\b",
                r"\bfull mail ?box",
                r"space not enough",
                r"not enough (?:disk |storage )?space",
                r"insufficient (?:disk |system )?(?:space|storage)",
                r"out of (?:storage|disk) ?space",
                r"too much mail",
                r"mailbox size limit",
                r"容量",
                r"いっぱい",
            ),
        ),
        (
            Kind.HARD_BOUNCE,
            (
                r"(?:user|recipient|address|addressee|account|mailbox|person)(?: is| was)? (?:un|not )known",
                r"unknown (?:or illegal )?(?:user|recipient|addressee|address|account|mailbox|host|domain|local)",
                r"addressee unknown",
                r"no such (?:user|person|recipient|address|mailbox|account|domain|local)",
                r"no (?:mailbox|user|account) (?:here )?by that name",
                r"(?:user|recipient|mailbox|address|account|domain|host)\b.{0,60}?(?:does not|doesn't|do not) exist",
                r"(?:user|mailbox|recipient|account|domain) (?:was )?not found(?!, try)",
                r"host (?:or domain name )?not found(?!, try)",
                r"doesn't have an? .{0,80}account",
                r"not listed in",
                r"name is not recogni[sz]ed",
                r"did not (?:exactly )?match an? ",
                r"no match(?:es)? to nameserver",
                r"does not have a final",
                r"invalid (?:final delivery userid|mailbox|recipient|user|address)",
                r"not a valid (?:user|recipient|address|mailbox)",
                r"(?:wrong or )?no longer (?:valid|in use|with|available)",
                r"(?:account|mailbox|user)\b.{0,40}?(?:disabled|discontinued|deactivated|inactive|closed)",
                r"mailbox unavailable",
                r"recipient address rejected: (?:user|unknown|\S+ \[rcpt_to\])",
                r"n'existe pas",
                r"no existe",
                r"existiert nicht",
                r"unbekannt",
                r"宛先.{0,40}(?:存在し|不明|見つかり)",
                r"(?:ユーザー?|メールアドレス).{0,40}(?:存在し|見つかり|ありません)",
            ),
        ),
        (
            Kind.CONTENT,
            (
                r"exceed\w* .{0,40}(?:message|mail) size",
                r"(?:message|mail|attachment)\b.{0,30}?too (?:large|big)",
                r"size limit",
                r"\bvirus (?:found|detected)",
                r"infected",
                r"attachment type",
            ),
        ),
        (
            Kind.POLICY,
            (
                r"\bspam\b",
                r"unsolicited",
                r"black ?list|block ?list|\brbl\b",
                r"\bblocked\b",
                r"not accepting mail from",
                r"polic(?:y|ies)",
                r"access denied",
                r"(?:unable to|not permitted to|denied|no) relay|relay(?:ing)? (?:access )?denied",
                r"reputation",
                r"\bdmarc\b|\bspf\b|\bdkim\b",
                r"rate limit|too many (?:messages|connections)",
            ),
        ),
    )
)


def before_the_copy(text: str) -> str:
    """What a report says, without the message it brings back."""
    text = text[:LONGEST]
    found = _COPY.search(text)
    return text[: found.start()] if found and text[: found.start()].strip() else text


def why(text: str) -> tuple[Kind, str | None]:
    """The reason a text gives, and the status that says so where there is one."""
    statuses = [found[0] for found in _STATUS.finditer(text)]
    for status in statuses:
        if (kind := kind_of(status)) is not Kind.OTHER:
            return kind, status
    one_line = " ".join(text.split())
    for kind, words in _WORDS:
        if words.search(one_line):
            return kind, statuses[0] if statuses else code_in(text)
    return Kind.OTHER, statuses[0] if statuses else code_in(text)


def code_in(text: str) -> str | None:
    """The first SMTP code of a refusal in a text: ``550``."""
    found = _CODE.search(text)
    return found[1] if found else None


def about(text: str, address: str, others: Iterable[str]) -> str:
    """The part of a report that is about one of several addresses; all of it where it does not name that one."""
    low = text.lower()
    begin = _line_of(low, address)
    if begin is None:
        return text
    ends = [place for other in others if other != address and (place := _line_of(low, other)) is not None]
    return text[begin : min((end for end in ends if end > begin), default=len(text))]


def _line_of(text: str, address: str) -> int | None:
    place = text.find(address.lower())
    return None if place < 0 else text.rfind("\n", 0, place) + 1
