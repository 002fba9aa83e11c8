"""Addresses that are not written to any more, whatever was agreed."""

from __future__ import annotations

from tabiji.domain.orders import SendOutcome
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Standing


def not_suppressed(standing: Standing, asked: Asked, house: House) -> SendOutcome | None:
    """Whether nothing keeps us from writing to this address."""
    transactional = house.topics.is_transactional(asked.topic)
    for entry in standing.suppressed:
        over = entry.until is not None and entry.until <= asked.at
        if not over and (entry.transactional or not transactional):
            return SendOutcome(state="refused", reason=f"suppressed: {entry.reason}")
    if standing.replied is not None and asked.at < standing.replied and not transactional:
        return SendOutcome(state="refused", reason="replied")
    return None
