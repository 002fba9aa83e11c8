"""The ledger: what may go to a contact goes out once for its step and visit. Nothing leaves the house."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from tabiji.domain.changes import NotifyTeam
from tabiji.domain.orders import NotifySales, SendEmail, SendOutcome, StepOrder
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.decide import decide
from tabiji.domain.sending.house import House as Rules
from tabiji.domain.sending.standing import Agreed, Standing
from tabiji.testing.memory.state import Message, Person, State

MOST_DEFERRALS = 5
SALES = "sales/notice"


class Sending:
    """Decides about messages as an application's ledger does, and keeps them."""

    def __init__(self, state: State, rules: Rules) -> None:
        self.state = state
        self.rules = rules
        self.answers: dict[str, list[SendOutcome]] = {}
        """What the relay says to the next mails made from a template, in place of "sent"."""

    def send_email(self, order: SendEmail) -> SendOutcome:
        """One mail, unless this key has gone out before.

        Raises:
            UnknownContact: The contact is gone.
        """
        return self._once(order, order.template, order.topic, partial(self._decide, order))

    def notify_sales(self, order: NotifySales) -> SendOutcome:
        """One notice to sales."""
        return self._once(order, SALES, order.reason, lambda _: None)

    def notify(self, order: NotifyTeam) -> SendOutcome:
        """One notice to a team."""
        return self._once(order, order.team, order.text, lambda _: None)

    def _once(
        self, order: StepOrder, template: str, topic: str, rule: Callable[[datetime], SendOutcome | None]
    ) -> SendOutcome:
        self.state.person(order.contact_id)
        earlier = self.state.messages.get(order.key)
        if earlier is not None and (left := _left(earlier, order)) is not None:
            return left
        deferrals = earlier.deferrals if earlier is not None else 0
        first_at = earlier.asked_at if earlier is not None else order.at
        verdict = rule(first_at)
        if verdict is not None and verdict.state == "deferred" and deferrals >= MOST_DEFERRALS:
            verdict = SendOutcome(state="refused", reason="deferred_too_often")
        outcome = verdict if verdict is not None else self._carried(template)
        outcome = outcome.model_copy(update={"message": message_id(order.key)})
        self.state.messages[order.key] = Message(
            id=message_id(order.key),
            order=order,
            template=template,
            topic=topic,
            outcome=outcome,
            asked_at=first_at,
            deferrals=deferrals + (outcome.state == "deferred"),
        )
        return outcome

    def _decide(self, order: SendEmail, first_at: datetime) -> SendOutcome | None:
        asked = Asked(
            topic=order.topic,
            at=order.at,
            first_at=first_at,
            delay=order.delay,
            priority=order.priority,
            journey=order.enrollment_id.partition("/")[0],
        )
        return decide(self._standing(self.state.person(order.contact_id), order.topic), asked, self.rules)

    def _standing(self, person: Person, topic: str) -> Standing:
        return Standing(
            address=person.email,
            zone=ZoneInfo(person.timezone) if person.timezone else None,
            agreed={topic: Agreed(person.has_consented(topic))},
        )

    def _carried(self, template: str) -> SendOutcome:
        waiting = self.answers.get(template)
        return waiting.pop(0) if waiting else SendOutcome(state="sent")


def message_id(key: str) -> str:
    """Names a message in the events it leads to, as an application does."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _left(message: Message, order: StepOrder) -> SendOutcome | None:
    """What an earlier attempt left that stands."""
    outcome = message.outcome
    if outcome.state == "deferred":
        return outcome if outcome.until is not None and outcome.until > order.at else None
    return outcome
