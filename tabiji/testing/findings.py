"""What has come of a test, to be read and compared."""

from __future__ import annotations

from datetime import datetime

from tabiji.domain.orders import EXIT_STEP, GOAL_STEP, SendEmail
from tabiji.domain.patterns import Pattern
from tabiji.testing.memory.house import House
from tabiji.testing.memory.outside import Question, Task, Webhook
from tabiji.testing.memory.sending import SALES
from tabiji.testing.memory.state import Message, Person
from tabiji.testing.outbox import Mail, Notice, Shown
from tabiji.testing.rehearsal import Rehearsal

__tracebackhide__ = True


class Findings:
    """The half of `JourneyEnvironment` that only looks."""

    _rehearsal: Rehearsal

    @property
    def now(self) -> datetime:
        """Journey time. Aware, UTC, to the minute: the machine's own seconds are left out."""
        return _minute(self._rehearsal.clock.now())

    @property
    def outbox(self) -> Shown[Mail]:
        """Mails that went out, to anybody; equal to a list of their templates."""
        sent = [self._mail(one) for one in self._messages() if isinstance(one.order, SendEmail) and one.outcome]
        return Shown(sent, lambda mail: mail.template)

    @property
    def refused(self) -> Shown[Message]:
        """Mails that did not go out; equal to a list of the reasons."""
        held = [one for one in self._messages() if one.outcome.state in ("refused", "failed")]
        return Shown(held, lambda message: message.outcome.reason or message.outcome.state)

    @property
    def sales(self) -> Shown[Notice]:
        """What sales was told; equal to a list of the reasons."""
        told = [self._notice(one, "sales", one.topic) for one in self._messages() if one.template == SALES]
        return Shown(told, lambda notice: notice.text)

    @property
    def notices(self) -> Shown[Notice]:
        """What teams were told by `notify`; equal to a list of the texts."""
        told = [one for one in self._messages() if not isinstance(one.order, SendEmail) and one.template != SALES]
        return Shown([self._notice(one, one.template, one.topic) for one in told], lambda notice: notice.text)

    @property
    def webhooks(self) -> Shown[Webhook]:
        """Calls of outside addresses; equal to a list of the addresses."""
        return Shown(self._house.outside.webhooks, lambda call: call.url)

    @property
    def tasks(self) -> Shown[Task]:
        """Tasks somebody was given; equal to a list of their titles."""
        return Shown(self._house.outside.tasks, lambda task: task.title)

    @property
    def questions(self) -> Shown[Question]:
        """Approvals that were asked for; equal to a list of the questions."""
        return Shown(self._house.outside.questions, lambda question: question.question)

    def contact(self, contact: str = "c1") -> Person:
        """Somebody as the house knows them now: score, stage, tags, lists, attributes, consents."""
        return self._house.state.person(contact)

    @property
    def next_timer(self) -> datetime | None:
        """When the next timer of anybody is due; None where only people can make anything happen."""
        return self._rehearsal.next_timer

    def waits(self, id: str) -> list[tuple[tuple[str, str, int], Pattern]]:
        """What an enrollment waits for now: enrollment, step and visit, and the pattern."""
        open_now = self._house.state.listeners.items()
        return [(key, one.pattern) for key, one in open_now if key[0] == id and key[1] not in (GOAL_STEP, EXIT_STEP)]

    @property
    def _house(self) -> House:
        return self._rehearsal.house

    def _messages(self) -> list[Message]:
        return list(self._house.state.messages.values())

    def _mail(self, sent: Message) -> Mail:
        return Mail(
            template=sent.template,
            contact=sent.contact,
            topic=sent.topic,
            at=_minute(sent.at),
            day=self._day(sent.at),
            step=sent.step,
            message=sent.id,
            enrollment=sent.enrollment,
        )

    def _notice(self, told: Message, team: str, text: str) -> Notice:
        return Notice(team, text, told.contact, _minute(told.at), self._day(told.at), told.enrollment)

    def _day(self, at: datetime) -> int:
        return (at - self._rehearsal.clock.begins).days


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
