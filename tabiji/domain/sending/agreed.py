"""No consent, no mail, whatever the journey says."""

from __future__ import annotations

from tabiji.domain.orders import SendOutcome
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Standing


def agreed(standing: Standing, asked: Asked, house: House) -> SendOutcome | None:
    """Whether the person has agreed to the topic, and has not taken it back."""
    if house.topics.is_transactional(asked.topic):
        return None
    if standing.stopped_all:
        return SendOutcome(state="refused", reason="unsubscribed_from_all")
    decision = standing.agreed.get(asked.topic)
    if decision is None or not decision.given:
        return SendOutcome(state="refused", reason="no_consent")
    if not decision.confirmed:
        return SendOutcome(state="refused", reason="not_confirmed")
    return None
