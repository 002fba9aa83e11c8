"""Whether a person opened a mail or followed a link, or a program did: what can be told from a request and its time.

    judge(Touch("click", url, at), request, sent_at=…, earlier=…)      at once, from what is known now
    swept(touches, sent_at=…)                                          later: which of them went through all the links

A verdict has three values. A *machine* is sure: it says so, it comes from a mail filter, or it went through the links.
A *doubtful* click could be the first of such a walk; it is held for a few seconds, and nothing more said against it,
it is a person's. Everything else is a person's at once. Doubt always ends in the person's favour.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

from tabiji.domain.scanners import FETCHES_FOR_A_PERSON, PREFETCHES_IMAGES, PROGRAMS, Networks, known_networks

What = Literal["open", "click"]

FRESH = timedelta(minutes=10)
"""After a mail was handed over, filters look at it. Later, two links in a moment are somebody's tabs."""
TOO_SOON = timedelta(seconds=1)
"""No person has a mail before them, and has read it, so soon after our relay took it."""
QUICK = timedelta(seconds=20)
"""A click so soon, in a mail nobody was seen to open, could be a filter's."""
WALK = timedelta(seconds=5)
"""Three links in this time, in a fresh mail, are a walk through the links."""
MOMENT = timedelta(seconds=1)
"""Two links in this time, in a fresh mail, are one too."""
HASTE = timedelta(seconds=3)
MANY = 5
"""So many links in `HASTE` are a walk at any age."""
HOLD = timedelta(seconds=4)
"""How long a doubtful click is held."""

SEEN = (
    "user-agent", "accept", "accept-language", "purpose", "sec-purpose", "x-purpose", "x-moz",
    "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-site",
)  # fmt: skip # one list
"""Headers that are looked at. Nothing of them is kept but the reason they gave."""

_BROWSER = re.compile(r"^Mozilla/5\.0 \(.+(Gecko|AppleWebKit|Trident)", re.IGNORECASE)
# From these versions on they say with every navigation over https that it is one.
_TELLS = re.compile(r"\b(?:Chrome|Firefox|Edg)/(\d+)")
_TELLS_FROM = 90


class Verdict(StrEnum):
    """Who it was."""

    PERSON = "person"
    MACHINE = "machine"
    DOUBTFUL = "doubtful"


class Judgement(NamedTuple):
    """Who it was, and what says so."""

    verdict: Verdict
    why: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What a request shows of who makes it.

    Attributes:
        headers: Those in `SEEN`, by lower-case name.
        address: It came from.
        secure: Over https: browsers tell more there.
    """

    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    address: str | None = None
    secure: bool = False

    @property
    def agent(self) -> str:
        """What it says it is."""
        return self.headers.get("user-agent", "").strip()


@dataclass(frozen=True, slots=True)
class Touch:
    """A mail was opened, or a link of it followed.

    Attributes:
        url: The link's; None: an open.
        at: When, by the clock that `sent_at` is of.
        verdict: What is held of it so far.
    """

    what: What
    url: str | None
    at: datetime
    verdict: Verdict = Verdict.PERSON


def judge(
    touch: Touch,
    request: Request,
    *,
    sent_at: datetime | None,
    earlier: Sequence[Touch] = (),
    timed: bool = True,
    networks: Networks | None = None,
) -> Judgement:
    """Say at once who it was.

    Args:
        touch: What happened.
        request: How.
        sent_at: When the relay took the mail, or when it was begun to be sent; None: nobody knows.
        earlier: What happened to the same mail lately.
        timed: False: what is judged by time alone does not count. Nobody stands between a desk and its inbox.
        networks: Of mail filters; the published ones where not given.
    """
    age = touch.at - sent_at if sent_at is not None else None
    sure = _says_so(touch, request) or _comes_from_a_filter(request, age, networks or known_networks())
    if sure is not None:
        return Judgement(Verdict.MACHINE, sure)
    if not timed:
        return Judgement(Verdict.PERSON)
    if touch.what == "open":
        too_soon = age is not None and age < TOO_SOON
        return Judgement(Verdict.MACHINE, "too soon") if too_soon else Judgement(Verdict.PERSON)
    if len(earlier) in swept((*earlier, touch), sent_at=sent_at):
        return Judgement(Verdict.MACHINE, "all links")
    doubt = _doubt(touch, request, age, earlier)
    return Judgement(Verdict.DOUBTFUL, doubt) if doubt else Judgement(Verdict.PERSON)


def swept(touches: Sequence[Touch], *, sent_at: datetime | None) -> frozenset[int]:
    """Which touches of one mail, by place, a program made that went through its links. What it opened is among them."""
    clicks = [(place, one) for place, one in enumerate(touches) if one.what == "click"]
    found: set[int] = set()
    for _, first in clicks:
        fresh = sent_at is not None and first.at - sent_at < FRESH and not _was_read(touches, first.at)
        for span, many in ((WALK, 3), (MOMENT, 2), (HASTE, MANY)):
            if not fresh and many < MANY:
                continue
            inside = [place for place, one in clicks if first.at <= one.at <= first.at + span]
            if len({touches[place].url for place in inside}) >= many:
                found.update(inside)
    return frozenset(found | _opened_by_the_way(touches, found))


def _was_read(touches: Sequence[Touch], before: datetime) -> bool:
    """Whether a person opened the mail well before: what follows then is theirs, unless it is very hasty."""
    return any(one.what == "open" and one.verdict is Verdict.PERSON and one.at + WALK < before for one in touches)


def _opened_by_the_way(touches: Sequence[Touch], walked: set[int]) -> set[int]:
    return {
        place
        for place, one in enumerate(touches)
        if one.what == "open" and any(abs(touches[step].at - one.at) <= WALK for step in walked)
    }


def _says_so(touch: Touch, request: Request) -> str | None:
    """The request itself says that no person makes it."""
    headers, agent = request.headers, request.agent
    if "prefetch" in f"{headers.get('sec-purpose')} {headers.get('purpose')} {headers.get('x-moz')}".lower():
        return "prefetch"
    if "preview" in f"{headers.get('purpose')} {headers.get('x-purpose')}".lower():
        return "preview"
    if not agent:
        return "no user agent"
    if PREFETCHES_IMAGES.search(agent):
        return "apple privacy" if agent.lower() == "mozilla/5.0" else "gmail prefetch"
    if FETCHES_FOR_A_PERSON.search(agent):
        return None if touch.what == "open" else "image proxy"
    if PROGRAMS.search(agent):
        return "user agent"
    if touch.what == "click" and headers.get("sec-fetch-mode", "navigate") != "navigate":
        return "no navigation"
    return None


def _comes_from_a_filter(request: Request, age: timedelta | None, networks: Networks) -> str | None:
    """Where it comes from says so. Later, a browser from there may be a person's that is shown to them from afar."""
    owner = networks.owner(request.address)
    if owner is None:
        return None
    late = age is not None and age >= FRESH
    return None if late and _BROWSER.search(request.agent) else f"network: {owner}"


def _doubt(touch: Touch, request: Request, age: timedelta | None, earlier: Sequence[Touch]) -> str | None:
    """Why a click could be the first of a walk through the links."""
    if age is None or age >= FRESH:
        return None
    others = any(one.what == "click" and one.url != touch.url and touch.at - one.at <= WALK for one in earlier)
    if others and not _was_read(earlier, touch.at):
        return "second link"
    if age < TOO_SOON:
        return "too soon"
    if age < QUICK and not any(one.what == "open" and one.verdict is Verdict.PERSON for one in earlier):
        return "quick"
    if _BROWSER.search(request.agent) and not request.headers.get("accept-language"):
        return "no language"
    told = _TELLS.search(request.agent)
    if request.secure and told and int(told[1]) >= _TELLS_FROM and "sec-fetch-mode" not in request.headers:
        return "unlike its browser"
    return None
