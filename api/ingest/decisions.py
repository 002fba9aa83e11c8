"""What calls say that people have decided about what they are sent.

    track("Consent Given", {"topic": "newsletter", "source": "checkout", "wording": "…", "version": "3"})
    track("Consent Withdrawn", {"topic": "newsletter"})     also "Unsubscribed"
    track("Consent Requested", {"topic": "newsletter"})     from a page, too: the address is asked to confirm it

A server is believed; it may say `confirmed: false`. What comes with a browser key anybody may have typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.consenting import GIVEN, REQUESTED, WITHDRAWN, name_of, noted
from models.incoming import ConsentGiven
from tabiji.domain.topics import EVERYTHING, LONGEST_TOPIC, LONGEST_VERSION, Topics

LONGEST = {"source": 200, "wording": 5000, "version": LONGEST_VERSION}
_NOES = frozenset({WITHDRAWN, "Unsubscribed"})
DECISIONS = frozenset({GIVEN, REQUESTED, *_NOES})


def decision(name: str, properties: Mapping[str, Any], topics: Topics) -> tuple[str, ConsentGiven | None]:
    """The name an event is recorded under, and the decision in it; None where it names no topic.

    Args:
        name: As it was sent.
        properties: What it says.
        topics: Those that are declared.
    """
    topic = properties.get("topic")
    if name not in DECISIONS or not isinstance(topic, str) or not 0 < len(topic) <= LONGEST_TOPIC:
        return name, None
    given = name not in _NOES
    if given and topic == EVERYTHING:  # nobody can agree to everything
        return name, None
    said = {part: value for part, most in LONGEST.items() if (value := _text(properties, part, most)) is not None}
    certain = name != REQUESTED and properties.get("confirmed") is not False
    consent = ConsentGiven(
        topic=topic,
        given=given,
        source=said.get("source", "track"),
        wording=said.get("wording"),
        version=said.get("version"),
        confirmed=not given or name != REQUESTED,
    )
    kept = noted(topics, consent, certain=certain)
    return (name_of(kept) if given else name), kept


def _text(properties: Mapping[str, Any], part: str, most: int) -> str | None:
    value = properties.get(part)
    return value if isinstance(value, str) and 0 < len(value) <= most else None
