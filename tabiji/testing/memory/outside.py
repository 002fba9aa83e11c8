"""What journeys ask of others and read about a contact: tasks, webhooks, approvals, lookups, experiments."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from tabiji.domain.attributes import IDENTITIES
from tabiji.domain.changes import (
    AskApproval,
    Asked,
    Called,
    CallWebhook,
    Created,
    CreateTask,
    Expose,
    Exposed,
    LookedUp,
    LookUp,
)
from tabiji.domain.facts import Fact
from tabiji.errors import InvalidChange
from tabiji.testing.memory.recording import Recording, attribute, changed
from tabiji.testing.memory.state import Person, Properties


@dataclass
class Task:
    """Something somebody is to do about a contact."""

    id: str
    contact: str
    title: str
    who: str
    due: datetime | None
    done: bool = False


@dataclass(frozen=True)
class Webhook:
    """A call of an outside address."""

    contact: str
    url: str
    data: Properties
    key: str


@dataclass
class Question:
    """An approval that was asked for."""

    id: str
    enrollment: str
    contact: str
    question: str
    who: str
    until: datetime
    approved: bool | None = None


@dataclass
class Outside:
    """The people and systems around the house. What they answer is set by the test."""

    recording: Recording
    tasks: list[Task] = field(default_factory=list[Task])
    webhooks: list[Webhook] = field(default_factory=list[Webhook])
    questions: list[Question] = field(default_factory=list[Question])
    params: Properties = field(default_factory=dict[str, JsonValue])
    """Parameter: the value marketers have set."""
    webhook_answers: Callable[[Webhook], Called] = field(default=lambda _: Called(ok=True, status=200))

    def create_task(self, order: CreateTask) -> Created:
        """Note a task, once."""
        self.recording.state.person(order.contact_id)
        id = _id("task", order.key)
        if all(task.id != id for task in self.tasks):
            self.tasks.append(Task(id, order.contact_id, order.title, order.who, order.due))
        return Created(id=id)

    def call_webhook(self, order: CallWebhook) -> Called:
        """Note a call, once, and answer as the test says."""
        answers = self.recording.state.answers
        known = answers.get(order.key)
        if isinstance(known, Called):
            return known
        self.recording.state.person(order.contact_id)
        call = Webhook(order.contact_id, order.url, dict(order.data), order.key)
        self.webhooks.append(call)
        answer = self.webhook_answers(call)
        answers[order.key] = answer
        return answer

    def ask_approval(self, order: AskApproval) -> Asked:
        """Note a question, once."""
        self.recording.state.person(order.contact_id)
        id = _id("approval", order.key)
        if all(question.id != id for question in self.questions):
            self.questions.append(
                Question(id, order.enrollment_id, order.contact_id, order.question, order.who, order.until)
            )
        return Asked(approval=id)

    def look_up(self, order: LookUp) -> LookedUp:
        """Read one thing known of the contact."""
        person = self.recording.state.person(order.contact_id)
        return LookedUp(value=self._read(person, order.what, order.name))

    def expose(self, order: Expose) -> Exposed:
        """Put the contact into one arm, for good."""
        self.recording.state.person(order.contact_id)
        arm = self.recording.state.arms.drawn(order.draw(), order.contact_id)
        return Exposed(arm=self.recording.state.arms.keep(order.experiment, order.contact_id, arm))

    def answered(self, question: Question, *, approved: bool, by: str, note: str | None, at: datetime) -> None:
        """The team has answered: the enrollment that asked hears of it."""
        question.approved = approved
        properties: Properties = {"approval": question.id, "approved": approved, "by": by, "note": note}
        event = changed(question.id, question.contact, at, Fact.APPROVAL_ANSWERED, properties, only=question.enrollment)
        self.recording.tell([event])

    def done(self, task: Task, *, by: str, at: datetime) -> None:
        """The task is done."""
        task.done = True
        properties: Properties = {"task": task.id, "title": task.title, "who": task.who, "by": by}
        self.recording.tell([changed(task.id, task.contact, at, Fact.TASK_DONE, properties)])

    def _read(self, person: Person, what: str, name: str) -> JsonValue:
        match what:
            case "attribute":
                if name in IDENTITIES and name not in person.attributes:
                    raise InvalidChange(
                        f"attribute {name!r}", "says who somebody is, and stays out of Temporal's histories"
                    )
                return attribute(person, name)
            case "tag":
                return name in person.tags
            case "list":
                return name in person.lists
            case "segment":
                return name in person.segments
            case "score":
                return person.score
            case "stage":
                return person.stage
            case "param":
                return self.params.get(name)
            case _:
                raise InvalidChange(f"look_up {what!r}", "is nothing that is known of a contact")


def _id(kind: str, key: str) -> str:
    return f"{kind}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
