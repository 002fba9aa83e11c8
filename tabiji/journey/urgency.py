"""What overtakes: mail that people have asked for is not to queue behind what they merely agreed to.

Temporal hands out activities of a lower number first. It is no part of what a replay compares, so a topic may become
transactional, or stop being so, while people are on their way.
"""

from __future__ import annotations

from temporalio.common import Priority

from tabiji.domain.orders import SendEmail, StepOrder
from tabiji.domain.topics import Topics

URGENT = Priority(priority_key=1)
ORDINARY = Priority.default
"""Which Temporal takes for 3, the middle."""
BULK = Priority(priority_key=5)

_topics = [Topics()]


def remember(topics: Topics) -> None:
    """Know the project's topics from now on. Once for each process that runs journeys."""
    _topics[0] = topics


def urgency_of(order: StepOrder) -> Priority:
    """With which priority an order is carried out."""
    if isinstance(order, SendEmail) and _topics[0].is_transactional(order.topic):
        return URGENT
    return ORDINARY
