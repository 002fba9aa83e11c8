"""The ledger: what may go to a contact goes out once for its step and visit. Nothing leaves the house."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import tzinfo
from zoneinfo import ZoneInfo

from tabiji.domain.changes import NotifyTeam
from tabiji.domain.orders import NotifySales, SendEmail, SendOutcome, StepOrder
from tabiji.domain.quiet import Window, allowed_from
from tabiji.testing.memory.state import Message, Person, State

TRANSACTIONAL = "transactional"
MOST_DEFERRALS = 5
SALES = "sales/notice"


class Sending:
    """Decides about messages as an application's ledger does, and keeps them."""

    def __init__(self, state: State, *, zone: ZoneInfo, quiet: Window | None = None) -> None:
        self.state = state
        self.zone = zone
        self.quiet = quiet
        self.answers: dict[str, list[SendOutcome]] = {}
        """What the relay says to the next mails made from a template, in place of "sent"."""

    def send_email(self, order: SendEmail) -> SendOutcome:
        """One mail, unless this key has gone out before.

        Raises:
            UnknownContact: The contact is gone.
        """
        return self._once(order, order.template, order.topic, lambda: self._decide(order))

    def notify_sales(self, order: NotifySales) -> SendOutcome:
        """One notice to sales."""
        return self._once(order, SALES, order.reason, lambda: None)

    def notify(self, order: NotifyTeam) -> SendOutcome:
        """One notice to a team."""
        return self._once(order, order.team, order.text, lambda: None)

    def _once(
        self, order: StepOrder, template: str, topic: str, decide: Callable[[], SendOutcome | None]
    ) -> SendOutcome:
        self.state.person(order.contact_id)
        earlier = self.state.messages.get(order.key)
        if earlier is not None and (left := _left(earlier, order)) is not None:
            return left
        deferrals = earlier.deferrals if earlier is not None else 0
        verdict = decide()
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
            deferrals=deferrals + (outcome.state == "deferred"),
        )
        return outcome

    def _decide(self, order: SendEmail) -> SendOutcome | None:
        person = self.state.person(order.contact_id)
        if person.email is None:
            return SendOutcome(state="refused", reason="no_address")
        if order.topic == TRANSACTIONAL:
            return None
        if not person.has_consented(order.topic):
            return SendOutcome(state="refused", reason="no_consent")
        allowed = allowed_from(order.at, self._zone_of(person), self.quiet)
        if allowed > order.at:
            return SendOutcome(state="deferred", until=allowed, reason="quiet hours")
        return None

    def _zone_of(self, person: Person) -> tzinfo:
        return ZoneInfo(person.timezone) if person.timezone else self.zone

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
