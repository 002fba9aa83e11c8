"""Topics: what people agree to hear about, and what may be sent without being asked.

    Topic("newsletter", purpose={"en": "One mail a month …"}, version="2026-11", double_opt_in=True)
    Topic("receipts", basis=LegalBasis.CONTRACT, transactional="an order is followed by its receipt")

Declared in the folder `topics`, found by itself. A topic nobody declared needs consent like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

from tabiji.domain.caps import Cap
from tabiji.errors import JourneyDefinitionError

TRANSACTIONAL = "transactional"
"""The topic every project has for what the person has asked for. It needs no consent and knows no quiet hours."""
EVERYTHING = "*"
"""In a decision: no more mail about any topic that people can refuse. Nobody can say yes to it."""
LONGEST_TOPIC = 64
LONGEST_VERSION = 40
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


class LegalBasis(StrEnum):
    """Why mails on a topic may be sent, in the words of the law (GDPR, article 6), and what each needs here."""

    CONSENT = "consent"
    """A yes, to a purpose in words with a version. Taken back at any time."""
    CONTRACT = "contract"
    """`transactional`: which agreement with the person the mail is a part of."""
    LEGAL_OBLIGATION = "legal_obligation"
    """`transactional`: which duty."""
    LEGITIMATE_INTEREST = "legitimate_interest"
    """`interest`: yours, and why it outweighs theirs. No yes is needed; a no stops it, and each mail shows how."""


_WITHOUT_ASKING = frozenset({LegalBasis.CONTRACT, LegalBasis.LEGAL_OBLIGATION})


@dataclass(frozen=True)
class Topic:
    """One thing to agree to, or to be told without being asked.

    Attributes:
        name: In journeys, forms and consents.
        title: For the preference page. By language, where a page has several.
        purpose: What is sent and how often, in the words people agree to.
        version: Of those words. Kept with each consent.
        basis: Why it may be sent. Absent: as the other arguments say, and consent where they say nothing.
        double_opt_in: A consent that anybody could have given for an address counts once the address has confirmed it.
        transactional: Why this may be sent without consent, and to who wants no mails. None: it may not.
        interest: Of the basis legitimate interest: whose, and why it weighs more than theirs.
        mails: False: something people agree to on which nothing is sent, such as terms. It is on no preference page.
        cap: At most so many mails on it a person gets, `"1 per 7d"`; several hold together.
        track_opens: Whether its mails carry a pixel. None: as the settings say; no topic turns on what they turn off.
        track_clicks: Whether its links are counted. None: as the settings say.
    """

    name: str
    _: KW_ONLY
    title: str | Mapping[str, str] = ""
    purpose: str | Mapping[str, str] = ""
    version: str | None = None
    basis: LegalBasis | None = None
    double_opt_in: bool = False
    transactional: str | None = None
    interest: str | None = None
    mails: bool = True
    cap: str | tuple[str, ...] = ()
    track_opens: bool | None = None
    track_clicks: bool | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be kept, and what has not been given its reason."""
        if not _NAME.fullmatch(self.name) or len(self.name) > LONGEST_TOPIC:
            raise JourneyDefinitionError(
                f"topic {self.name[:LONGEST_TOPIC]!r} must be lower-case letters, digits, dots and hyphens, "
                f"at most {LONGEST_TOPIC}, e.g. 'newsletter'."
            )
        for problem in self._problems():
            raise JourneyDefinitionError(f"topic {self.name!r}: {problem}.")

    @property
    def legal_basis(self) -> LegalBasis:
        """Why mails on it may be sent."""
        if self.basis is not None:
            return self.basis
        if self.transactional is not None:
            return LegalBasis.CONTRACT
        return LegalBasis.LEGITIMATE_INTEREST if self.interest is not None else LegalBasis.CONSENT

    @property
    def caps(self) -> tuple[Cap, ...]:
        """How many mails on it a person gets at most."""
        return tuple(map(Cap.parse, (self.cap,) if isinstance(self.cap, str) else self.cap))

    @property
    def refusable(self) -> bool:
        """Whether people may say no to it: it is on their preference page, and its mails show the way out."""
        return self.legal_basis not in _WITHOUT_ASKING

    def title_in(self, locale: str | None) -> str:
        """Its title in a language, or in one there is."""
        return said_in(self.title, locale) or self.name

    def purpose_in(self, locale: str | None) -> str:
        """Its purpose in a language, or in one there is."""
        return said_in(self.purpose, locale)

    def _problems(self) -> Iterator[str]:
        basis = self.legal_basis
        try:
            capped = bool(self.caps)
        except ValueError as problem:
            yield str(problem)
        else:
            if capped and not self.refusable:
                yield "what people have asked for, or the law asks for, is not held back: leave cap= out"
        if basis in _WITHOUT_ASKING and not (self.transactional or "").strip():
            yield (
                "mails without consent need a reason: transactional='an order is followed by its receipt'. Where there "
                "is none, leave it out and ask people"
            )
        if self.transactional is not None and basis not in _WITHOUT_ASKING:
            yield f"transactional goes with the basis contract or legal_obligation, not with {basis.value}"
        if basis is LegalBasis.LEGITIMATE_INTEREST and not (self.interest or "").strip():
            yield "a legitimate interest needs to be told: interest='whose it is, and why it weighs more than theirs'"
        if self.interest is not None and basis is not LegalBasis.LEGITIMATE_INTEREST:
            yield f"interest goes with the basis legitimate_interest, not with {basis.value}"
        if basis is LegalBasis.CONSENT:
            words = [self.purpose] if isinstance(self.purpose, str) else [*self.purpose.values()]
            if not words or not all(one.strip() for one in words):
                yield "people agree to a purpose: say in purpose= what is sent and how often"
            if not self.version or len(self.version) > LONGEST_VERSION:
                yield f"name the version of its purpose, e.g. version='2026-11', at most {LONGEST_VERSION} characters"
        elif self.double_opt_in:
            yield "double_opt_in confirms a consent; this topic needs none"


def said_in(words: str | Mapping[str, str], locale: str | None) -> str:
    """A text in a language: of `ja-JP` that in `ja-JP`, `ja`, English, or whichever is first."""
    if isinstance(words, str):
        return words
    tag = (locale or "").replace("_", "-")
    tried = (tag, tag.partition("-")[0].lower(), "en", *words)
    return next((words[one] for one in tried if one in words), "")


class Topics:
    """Those a project has declared."""

    def __init__(self, declared: Iterable[Topic] = ()) -> None:
        """Refuse two of one name."""
        asked_for = Topic(
            name=TRANSACTIONAL, title="What you asked for", transactional="the person has asked for it, or bought it"
        )
        self._topics = {TRANSACTIONAL: asked_for}
        for topic in declared:
            if topic.name in self._topics and topic.name != TRANSACTIONAL:
                raise JourneyDefinitionError(f"there are two topics named {topic.name!r}; give one another name.")
            if topic.name == TRANSACTIONAL and topic.refusable:
                raise JourneyDefinitionError(
                    f"topic {TRANSACTIONAL!r} is for what needs no consent; name it otherwise."
                )
            self._topics[topic.name] = topic

    def __iter__(self) -> Iterator[Topic]:
        return iter(self._topics.values())

    def __contains__(self, name: object) -> bool:
        return name in self._topics

    @property
    def refusable(self) -> list[Topic]:
        """Those of a preference page."""
        return [topic for topic in self if topic.refusable and topic.mails]

    @property
    def caps(self) -> dict[str, tuple[Cap, ...]]:
        """What those have that have any."""
        return {topic.name: topic.caps for topic in self if topic.cap}

    def get(self, name: str) -> Topic | None:
        """The topic, where it was declared."""
        return self._topics.get(name)

    def is_transactional(self, name: str) -> bool:
        """Whether it may be sent without consent, and to who wants no mails."""
        topic = self._topics.get(name)
        return topic is not None and not topic.refusable

    def needs_a_yes(self, name: str) -> bool:
        """Whether nobody gets it who has not agreed to it."""
        topic = self._topics.get(name)
        return topic is None or topic.legal_basis is LegalBasis.CONSENT

    def must_confirm(self, name: str) -> bool:
        """Whether a consent that anybody could have given has to be confirmed by the address."""
        topic = self._topics.get(name)
        return topic is not None and topic.double_opt_in
