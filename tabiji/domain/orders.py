"""What travels between a journey, its activities and the outbox: one frozen object for each.

Ids, event names and the properties a journey asked for. Never an address or a name: all of this
is written into Temporal histories.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from tabiji.domain.conditions import Condition

SIGNAL = "happened"
"""Name of the one signal a journey listens to."""

DOING = "doing"
"""Name of the query that asks a journey what goes on."""

GOAL_STEP = "goal"
"""Step id under which an enrollment's goals listen, from its first moment to its last."""


class Frozen(BaseModel):
    """A value."""

    model_config = ConfigDict(frozen=True)


class Happened(Frozen):
    """An event that reached a journey.

    By hand, in the Temporal UI, `{"event": "Demo Attended"}` is enough: it counts for whatever the journey
    waits for at that moment. `seq` is the event's place in the database and `step`, `visit` name the
    listener it was found by; both are filled in by the outbox.
    """

    event: str
    seq: int | None = None
    at: datetime | None = None
    properties: dict[str, JsonValue] = {}
    step: str | None = None
    visit: int = 0


class EnrollmentInput(Frozen):
    """The input of every journey's workflow.

    Journey time is ``entered_at + (workflow.now() - entered_wall) * tempo``. The two instants differ only
    for rehearsals, where journey time runs ahead of the wall.
    """

    enrollment_id: str
    contact_id: str
    journey: str
    entered_at: datetime
    entered_wall: datetime
    entry_seq: int
    trigger: Happened | None = None
    tempo: float = 1.0
    test: bool = False


class Ending(StrEnum):
    """How an enrollment ended."""

    COMPLETED = "completed"
    GOAL = "goal"
    EXITED = "exited"
    CANCELLED = "cancelled"
    FAILED = "failed"
    TERMINATED = "terminated"


class Passed(Frozen):
    """One step a person has been through, and what came of it in a few words."""

    step: str
    visit: int
    result: str
    at: datetime


class Outcome(Frozen):
    """A journey's result: how it ended, why, and the way that led there."""

    ending: Ending
    reason: str
    path: tuple[Passed, ...] = ()


class Heard(Frozen):
    """What the look-back found. A goal outranks the event waited for."""

    goal: Happened | None = None
    event: Happened | None = None


class SendOutcome(Frozen):
    """The fate of one message so far. `until` is set when it was deferred; `reason` when it was refused or failed."""

    state: Literal["sent", "deferred", "refused", "failed", "unknown"]
    reason: str | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        """True when it went out."""
        return self.state == "sent"


class Score(Frozen):
    """Points after the adjustment."""

    total: int


class Entered(Frozen):
    """The new enrollment, or why there is none."""

    enrollment_id: str | None = None
    refused: str | None = None

    def __bool__(self) -> bool:
        """True when the contact is in."""
        return self.enrollment_id is not None


class Done(Frozen):
    """The effect has been carried out."""


class StepOrder(Frozen):
    """What every order names: who, where in which journey, and when in journey time.

    `activity` is the name of the activity that carries it out, `answer` what that returns.
    """

    activity: ClassVar[str]
    answer: ClassVar[type[BaseModel]]

    enrollment_id: str
    contact_id: str
    step: str
    visit: int
    at: datetime
    tempo: float = 1.0
    test: bool = False

    @property
    def key(self) -> str:
        """Unique for this step and visit of this enrollment, over resets and retries: no run id in it."""
        return f"{self.enrollment_id}/{self.step}/{self.visit}"


class Listen(StepOrder):
    """Write down what an enrollment waits for, and look back. `wall` is the workflow's clock at that moment."""

    activity = "listen"
    answer = Heard

    wall: datetime
    condition: Condition
    consumed: tuple[int, ...] = ()
    done: tuple[tuple[str, int], ...] = ()
    goals: tuple[Condition, ...] = ()
    entry_seq: int = 0


class Ended(StepOrder):
    """An enrollment is over: keep the outcome, drop the listeners, settle what is left open."""

    activity = "ended"
    answer = Done

    outcome: Outcome
    then: str | None = None
    goal_seq: int | None = None
    wall: datetime


class SendEmail(StepOrder):
    """Send one template to the contact."""

    activity = "send_email"
    answer = SendOutcome

    template: str
    topic: str = "marketing"
    delivery: Literal["at_least_once", "at_most_once"] = "at_least_once"


class AdjustScore(StepOrder):
    """Add or subtract points, once."""

    activity = "adjust_score"
    answer = Score

    points: int
    reason: str


class NotifySales(StepOrder):
    """Tell the sales team about this contact, with the reason in the author's words."""

    activity = "notify_sales"
    answer = SendOutcome

    reason: str


class TagContact(StepOrder):
    """Put a tag on the contact."""

    activity = "tag"
    answer = Done

    tag: str


class Enter(StepOrder):
    """Enter the contact into another journey. `wall` is the workflow's clock at that moment."""

    activity = "enter"
    answer = Entered

    journey: str
    wall: datetime
