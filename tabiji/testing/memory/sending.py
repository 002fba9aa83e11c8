"""The ledger: what may go to a contact goes out once for its step and visit. Nothing leaves the house."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from tabiji.domain.changes import NotifyTeam
from tabiji.domain.holidays import country_of
from tabiji.domain.orders import NotifySales, SendEmail, SendOutcome, StepOrder
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.decide import decide
from tabiji.domain.sending.held_out import HELD_OUT
from tabiji.domain.sending.house import House as Rules
from tabiji.domain.sending.pace import PRIORITY
from tabiji.domain.sending.standing import Past, Standing, Waiting
from tabiji.testing.memory.state import Enrollment, Message, Person, State

MOST_DEFERRALS = 5
SALES = "sales/notice"


class Sending:
    """Decides about messages as an application's ledger does, and keeps them."""

    def __init__(self, state: State, rules: Rules, priority: Callable[[str], int] = lambda _: 0) -> None:
        """`priority`: of a journey, by its name."""
        self.state = state
        self.priority = priority
        self.rules = rules
        self.answers: dict[str, list[SendOutcome]] = {}
        """What the relay says to the next mails made from a template, in place of "sent"."""

    def send_email(self, order: SendEmail) -> SendOutcome:
        """One mail, unless this key has gone out before.

        Raises:
            UnknownContact: The contact is gone.
        """
        arm = self._arm(order)
        if order.content is None or arm is None:
            return self._once(order, order.template, order.topic, partial(self._decide, order))
        outcome = self._once(
            order, order.content.template(arm, order.template), order.topic, partial(self._decide, order)
        )
        if outcome.state in ("refused", "skipped") or (outcome.state == "deferred" and not order.content.is_about_time):
            return outcome
        self.state.arms.keep(order.content.name, order.contact_id, arm)
        if outcome.state == "deferred":
            return outcome
        message = self.state.messages[order.key]
        message.outcome = outcome.model_copy(update={"variant": arm})
        return message.outcome

    def _arm(self, order: SendEmail) -> str | None:
        """The arm a contact has, or would be given."""
        self.state.person(order.contact_id)
        return self.state.arms.drawn(order.content.draw(), order.contact_id) if order.content is not None else None

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
            key=order.key,
            due_at=self._due_at(order, first_at),
            send_at=order.content.when(arm) if order.content is not None and (arm := self._arm(order)) else None,
            holdout=order.holdout,
        )
        return decide(self._standing(self.state.person(order.contact_id), order.topic), asked, self.rules)

    def _due_at(self, order: SendEmail, first_at: datetime) -> datetime:
        """Since when it could have gone out. Who has let others go first has waited already."""
        earlier = self.state.messages.get(order.key)
        if earlier is None or earlier.outcome.until is None or PRIORITY in (earlier.outcome.reason or ""):
            return first_at
        return earlier.outcome.until

    def _standing(self, person: Person, topic: str) -> Standing:
        theirs = [one for one in self.state.messages.values() if one.contact == person.id]
        mails = [(one, one.order) for one in theirs if isinstance(one.order, SendEmail)]
        counted = [(one, mail) for one, mail in mails if not self.rules.topics.is_transactional(mail.topic)]
        return Standing(
            address=person.email,
            country=country_of(person.attributes, person.locale),
            past=tuple(
                Past(mail.at, mail.topic, key=mail.key)
                for one, mail in counted
                if one.outcome.state in ("sent", "unknown")
            ),
            waiting=tuple(
                Waiting(one.outcome.until, mail.topic, mail.priority)
                for one, mail in counted
                if one.outcome.state == "deferred" and one.outcome.until is not None and self._runs(mail)
            ),
            ahead=max((self.priority(one.journey) for one in self._running(person.id)), default=None),
            zone=ZoneInfo(person.timezone) if person.timezone else None,
            agreed={} if (agreed := person.agreed(topic)) is None else {topic: agreed},
            held_out=frozenset(name for name, arm in self.state.arms.forced.items() if arm == HELD_OUT),
        )

    def _running(self, contact: str) -> Iterator[Enrollment]:
        return (one for one in self.state.enrollments.values() if one.contact == contact and one.state == "running")

    def _runs(self, mail: SendEmail) -> bool:
        return any(one.id == mail.enrollment_id for one in self._running(mail.contact_id))

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
