"""When a message may go out: quiet hours, and how much is enough."""

from __future__ import annotations

from tabiji.domain.orders import SendOutcome
from tabiji.domain.quiet import allowed_from
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Standing


def in_time(standing: Standing, asked: Asked, house: House) -> SendOutcome | None:
    """Now, or the first moment at which all rules of time let it pass; refused where that is too late."""
    if house.topics.is_transactional(asked.topic):
        return None
    allowed = allowed_from(asked.at, standing.zone or house.zone, house.quiet)
    if allowed <= asked.at:
        return None
    if allowed > asked.first_at + asked.delay:
        return SendOutcome(state="refused", reason="too late: quiet hours")
    return SendOutcome(state="deferred", until=allowed, reason="quiet hours")
