"""What travels between a journey, its activities and the outbox: one frozen object for each.

Ids, event names and the properties a journey asked for. Never an address or a name: all of this
is written into Temporal histories.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from tabiji.domain.calendar import When
from tabiji.domain.conditions import Condition
from tabiji.domain.content import ContentTest
from tabiji.domain.experiments import Draw
from tabiji.domain.patterns import Pattern

SIGNAL = "happened"
"""Name of the one signal a journey listens to."""

DOING = "doing"
"""Name of the query that asks a journey what goes on."""

JOURNAL = "journal"
"""Name of the query that asks a journey what it would take along into newer code."""

GOAL_STEP = "goal"
"""Step id under which an enrollment's goals listen, from its first moment to its last."""

EXIT_STEP = "exit"
"""Step id under which an enrollment's exits listen."""

CONTROL_STEP = "control"
"""Step id of what people in operations tell an enrollment; the event's name is a `Control`."""


class Frozen(BaseModel):
    """A value."""

    model_config = ConfigDict(frozen=True)


class Control(StrEnum):
    """What people in operations tell an enrollment, as the event name of a signal under `CONTROL_STEP`."""

    RESUME = "resume"
    """The pause is over. Properties: `paused_wall`, when it began, by the wall clock, in ISO 8601."""
    SKIP = "skip"
    """End the wait that is open now, as if its time were up. Properties: `step` for one of several."""
    MOVE = "move"
    """Go on in the newest code at the next wait."""


class Part(Frozen):
    """One of the events that together answer a wait for several."""

    event: str
    seq: int
    at: datetime
    properties: dict[str, JsonValue] = {}


class Happened(Frozen):
    """An event that reached a journey.

    By hand, in the Temporal UI, `{"event": "Demo Attended"}` is enough: it counts for whatever the journey
    waits for at that moment. `seq` is the event's place in the database and `step`, `visit` name the
    listener it was found by; both are filled in by the outbox. Where a wait takes any of several, `which` is the place
    of the one that answered. Where it takes several events this is the last; `parts` has one for each part of the
    pattern, and `took` names all that were taken.
    """

    event: str
    seq: int | None = None
    at: datetime | None = None
    properties: dict[str, JsonValue] = {}
    step: str | None = None
    visit: int = 0
    which: int = 0
    parts: tuple[Part, ...] = ()
    took: tuple[int, ...] = ()

    @property
    def seqs(self) -> frozenset[int]:
        """The places in the database of all events this stands for."""
        return frozenset(self.took if self.seq is None else (*self.took, self.seq))


class Passed(Frozen):
    """One step a person has been through, and what came of it in a few words."""

    step: str
    visit: int
    result: str
    at: datetime


class Failure(Frozen):
    """An activity that failed for good, and whose journey went on all the same."""

    activity: str
    kind: str
    message: str


class Kept(Frozen):
    """What one visit of one step came to, kept for the day the journey goes on in newer code."""

    step: str
    visit: int
    result: JsonValue = None
    failure: Failure | None = None


class Open(Frozen):
    """A wait that was open when a run was continued: it keeps its deadline, None where it has none.

    `taken`: so many of the events that have been consumed had been when it began.
    """

    step: str
    visit: int
    deadline: datetime | None
    started: datetime
    taken: int = 0


class Carried(Frozen):
    """What a continued run takes along from the one before. The steps run again from the top; what is kept returns
    at once.
    """

    journal: tuple[Kept, ...] = ()
    open: tuple[Open, ...] = ()
    consumed: tuple[int, ...] = ()
    done: tuple[tuple[str, int], ...] = ()
    path: tuple[Passed, ...] = ()
    forgotten: int = 0
    moves: int = 0


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
    carried: Carried | None = None


class Ending(StrEnum):
    """How an enrollment ended."""

    COMPLETED = "completed"
    GOAL = "goal"
    EXITED = "exited"
    CANCELLED = "cancelled"
    FAILED = "failed"
    TERMINATED = "terminated"


class Outcome(Frozen):
    """A journey's result: how it ended, why, and the way that led there.

    `forgotten` counts the oldest steps of a long way, which are left out.
    """

    ending: Ending
    reason: str
    path: tuple[Passed, ...] = ()
    forgotten: int = 0


class Heard(Frozen):
    """What the look-back found. An end, a goal or an exit, outranks the event waited for. All events up to `seq` were
    looked at.
    """

    end: Happened | None = None
    event: Happened | None = None
    seq: int = 0


class SendOutcome(Frozen):
    """The fate of one message so far. `until` is set when it was deferred; `reason` when it was refused or failed.

    `message` names it in the events it leads to: opened, clicked, replied. `variant` is the arm, where its content is
    under test.
    """

    state: Literal["sent", "deferred", "refused", "failed", "unknown", "skipped"]
    reason: str | None = None
    until: datetime | None = None
    message: str | None = None
    variant: str | None = None

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
    """Write down what an enrollment waits for, and look back. `wall` is the workflow's clock at that moment.

    `from_now`: only what comes after the first `listen` of this step and visit counts.
    """

    activity = "listen"
    answer = Heard

    wall: datetime
    condition: Pattern
    from_now: bool = False
    consumed: tuple[int, ...] = ()
    done: tuple[tuple[str, int], ...] = ()
    goals: tuple[Condition, ...] = ()
    exits: tuple[Condition, ...] = ()
    entry_seq: int = 0


class LookBack(StepOrder):
    """Has it happened since entry? Takes nothing: a later wait may still be answered by it."""

    activity = "look_back"
    answer = Heard

    condition: Pattern
    entry_seq: int = 0


class Appointed(Frozen):
    """The moment a wait ends, None where there is none. What came up to `seq` is considered in it."""

    at: datetime | None = None
    seq: int = 0


class Appoint(StepOrder):
    """Find the moment of a `wait_until` in the contact's zone and dates, and listen for what moves it.

    `started` is the journey time at which the wait began: "the next Friday" is the next one from there. `wall` is the
    workflow's clock at that moment.
    """

    activity = "appoint"
    answer = Appointed

    when: When
    started: datetime
    wall: datetime


class Ended(StepOrder):
    """An enrollment is over: keep the outcome, drop the listeners, settle what is left open.

    `sub_journeys` are the enrollments whose end it was waiting for: they end too.
    """

    activity = "ended"
    answer = Done

    outcome: Outcome
    then: str | None = None
    goal_seq: int | None = None
    sub_journeys: tuple[str, ...] = ()
    wall: datetime


class SendEmail(StepOrder):
    """Send one template to the contact."""

    activity = "send_email"
    answer = SendOutcome

    template: str
    topic: str = "marketing"
    delivery: Literal["at_least_once", "at_most_once"] = "at_least_once"
    delay: timedelta = timedelta(hours=24)
    """How long quiet hours and caps may hold it back; then it is dropped with its reason."""
    priority: int = 0
    """Of its journey; higher goes first where there is room for one only."""
    content: ContentTest | None = None
    """A test of what it says: which arm they get is decided when it is sent."""
    holdout: Draw | None = None
    """Of its journey: who gets none of its marketing, for comparison."""
    confirms: str | None = None
    """The topic this mail asks its address to confirm."""


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
    """Enter the contact into another journey. `wall` is the workflow's clock at that moment.

    `awaited`: this enrollment waits for that one's end, an event of its own says so, and takes it along when it ends
    first.
    """

    activity = "enter"
    answer = Entered

    journey: str
    wall: datetime
    awaited: bool = False
