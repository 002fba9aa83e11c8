"""What a decision about a topic is recorded as, whichever door it comes through.

Consent Given       counts: of somebody we may believe, or of a topic that asks for no confirmation
Consent Requested   kept, and no right to mail before the address has confirmed it
Consent Withdrawn   counts at once
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from pydantic import JsonValue
from starlette.requests import Request

from api.parts import Parts
from models.incoming import ConsentGiven
from tabiji.domain.topics import Topics

GIVEN, REQUESTED, WITHDRAWN = "Consent Given", "Consent Requested", "Consent Withdrawn"
LONGEST_AGENT = 200


class Proof(NamedTuple):
    """From where a decision came, without the address's end, and with what program it was made."""

    network: str | None = None
    user_agent: str | None = None


def noted(topics: Topics, consent: ConsentGiven, *, certain: bool, lang: str | None = None) -> ConsentGiven:
    """A decision as it is kept: with the topic's purpose as it is told now, and certain or not.

    Args:
        topics: Those that are declared.
        consent: What was decided.
        certain: It comes from the address's owner, or from a server of ours that says so.
        lang: In which language the purpose was told.
    """
    topic = topics.get(consent.topic)
    confirmed = consent.confirmed and (certain or not topics.must_confirm(consent.topic) or not consent.given)
    if topic is None or not consent.given:
        return replace(consent, confirmed=confirmed)
    return replace(consent, confirmed=confirmed, purpose=topic.purpose_in(lang) or None, purpose_version=topic.version)


def withdrawal(topic: str, source: str, address: str | None, proof: Proof) -> ConsentGiven:
    """A no that came by a link in a mail to this address."""
    return ConsentGiven(
        topic=topic,
        given=False,
        source=source,
        address=address,
        network=proof.network,
        user_agent=proof.user_agent,
    )


def name_of(consent: ConsentGiven) -> str:
    """Of the event it is recorded with."""
    if not consent.given:
        return WITHDRAWN
    return GIVEN if consent.confirmed else REQUESTED


def told(consent: ConsentGiven, **more: JsonValue) -> dict[str, JsonValue]:
    """Properties of that event."""
    return {"topic": consent.topic, "source": consent.source, **more}


def proof_of(parts: Parts, request: Request) -> Proof:
    """What a request proves by itself."""
    agent = request.headers.get("user-agent", "").replace("\x00", "").strip()
    return Proof(network_of(parts.limits.address(request.scope)), agent[:LONGEST_AGENT] or None)


def network_of(address: str) -> str | None:
    """An address without its end: 203.0.113.0/24, 2001:db8:12::/48. Enough to say where from, not which device."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return str(ip_network((found, 24 if found.version == 4 else 48), strict=False))
