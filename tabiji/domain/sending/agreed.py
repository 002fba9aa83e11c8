"""No consent, no mail, whatever the journey says."""

from __future__ import annotations

from tabiji.domain.orders import SendOutcome
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Standing


def agreed(standing: Standing, asked: Asked, house: House) -> SendOutcome | None:
    """Whether the person has agreed to the topic, and has not taken it back.

    On a topic of legitimate interest silence is enough, and a no is a no.
    """
    if house.topics.is_transactional(asked.topic):
        return None
    decision = standing.agreed.get(asked.topic)
    if decision is None:
        return SendOutcome(state="refused", reason="no_consent") if house.topics.needs_a_yes(asked.topic) else None
    if not decision.given:
        return SendOutcome(state="refused", reason="unsubscribed_from_all" if decision.everything else "no_consent")
    if not decision.confirmed:
        return SendOutcome(state="refused", reason="not_confirmed")
    return None
