"""Topics: what people agree to hear about, and what may be sent without being asked.

    Topic("newsletter", title="Our newsletter", purpose="One mail a month …", version="2026-11")
    Topic("receipts", title="Receipts", purpose="…", transactional="the law and the order ask for it")

Declared in the folder `topics`, found by itself. A topic nobody declared needs consent like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tabiji.errors import JourneyDefinitionError

TRANSACTIONAL = "transactional"
"""The topic every project has for what the person has asked for. It needs no consent and knows no quiet hours."""
LONGEST_TOPIC = 64
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One thing to agree to.

    Attributes:
        name: In journeys, forms and consents.
        title: For the preference page.
        purpose: What is sent and how often, in the words people agree to. By language, where a page has several.
        version: Of those words. Kept with each consent.
        double_opt_in: A consent that anybody could have given for an address counts once the address has confirmed it.
        transactional: Why this may be sent without consent. None: it may not.
    """

    name: str
    title: str | dict[str, str] = ""
    purpose: str | dict[str, str] = ""
    version: str | None = None
    double_opt_in: bool = False
    transactional: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be kept."""
        if not _NAME.fullmatch(self.name) or len(self.name) > LONGEST_TOPIC:
            raise JourneyDefinitionError(
                f"topic {self.name[:LONGEST_TOPIC]!r} must be lower-case letters, digits, dots and hyphens, "
                f"at most {LONGEST_TOPIC}, e.g. 'newsletter'."
            )


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
            self._topics[topic.name] = topic

    def __iter__(self) -> Iterator[Topic]:
        return iter(self._topics.values())

    def __contains__(self, name: object) -> bool:
        return name in self._topics

    def get(self, name: str) -> Topic | None:
        """The topic, where it was declared."""
        return self._topics.get(name)

    def is_transactional(self, name: str) -> bool:
        """Whether it may be sent without consent."""
        topic = self._topics.get(name)
        return topic is not None and topic.transactional is not None
