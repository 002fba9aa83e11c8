"""Orders that change or read what we know of a contact, and that bring other people and systems in."""

from __future__ import annotations

from datetime import datetime
from typing import Generic

from pydantic import Field, JsonValue
from typing_extensions import TypeVar

from tabiji.domain.experiments import Design, Draw
from tabiji.domain.orders import Done, Frozen, SendOutcome, StepOrder


class Changed(Frozen):
    """What the contact has now, and whether this order changed it."""

    changed: bool
    value: JsonValue = None


class Untag(StepOrder):
    """Take a tag off the contact."""

    activity = "untag"
    answer = Changed

    tag: str


class JoinList(StepOrder):
    """Put the contact on a static list."""

    activity = "join_list"
    answer = Changed

    list: str


class LeaveList(StepOrder):
    """Take the contact off a static list."""

    activity = "leave_list"
    answer = Changed

    list: str


class SetAttribute(StepOrder):
    """Write one attribute of the contact."""

    activity = "set_attribute"
    answer = Changed

    name: str
    value: JsonValue


class AddToAttribute(StepOrder):
    """Add to a number the contact has; none counts as 0."""

    activity = "add_to_attribute"
    answer = Changed

    name: str
    amount: float


class ClearAttribute(StepOrder):
    """Remove one attribute of the contact."""

    activity = "clear_attribute"
    answer = Changed

    name: str


class SetStage(StepOrder):
    """Move the contact to a stage of life: a lead, an mql, a customer and so on."""

    activity = "set_stage"
    answer = Changed

    stage: str


class Created(Frozen):
    """Id of what was created."""

    id: str


class CreateTask(StepOrder):
    """Give somebody something to do about this contact."""

    activity = "create_task"
    answer = Created

    title: str
    who: str
    due: datetime | None = None


class Called(Frozen):
    """What an outside system said. `ok` is False where it refused for good."""

    ok: bool
    status: int
    reason: str | None = None

    def __bool__(self) -> bool:
        """True when it was taken."""
        return self.ok


class CallWebhook(StepOrder):
    """Post JSON to an outside address. The order's key goes along, so that the other side can recognise a repeat."""

    activity = "call_webhook"
    answer = Called

    url: str
    data: dict[str, JsonValue] = Field(default_factory=dict)


class NotifyTeam(StepOrder):
    """Tell a team about this contact. Which address or channel a team has is a setting."""

    activity = "notify"
    answer = SendOutcome

    team: str
    text: str


P = TypeVar("P", default=JsonValue)


class OwnOrder(StepOrder, Generic[P]):
    """What an author's own activity is given: who, where, when, and the payload of the call.

    An activity that takes `OwnOrder[Booking]` gets the payload as a `Booking`, a pydantic model or a plain type.
    """

    activity = ""
    answer = Done

    payload: P


class LookedUp(Frozen):
    """The value; None where there is none."""

    value: JsonValue = None


class LookUp(StepOrder):
    """Read one thing we know of the contact.

    `what` is attribute, tag, list, segment, score, stage or param; `name` says which. A parameter is read in the
    version that was in force when the contact entered, or the newest where it moves people along.
    """

    activity = "look_up"
    answer = LookedUp

    what: str
    name: str = ""
    moves: bool = False


class Exposed(Frozen):
    """The arm of an experiment a contact is in, from now on and in every journey that asks."""

    arm: str


class Expose(StepOrder):
    """Put the contact into one arm of an experiment, once and for all.

    `arms` and `weights` have the same length. Changing the weights later moves nobody who has an arm.
    """

    activity = "expose"
    answer = Exposed

    experiment: str
    arms: tuple[str, ...]
    weights: tuple[float, ...]
    design: Design = Field(default_factory=Design)

    def draw(self) -> Draw:
        """The experiment."""
        return Draw(experiment=self.experiment, arms=self.arms, weights=self.weights, design=self.design)


class Asked(Frozen):
    """Id of the question, named by the event that answers it."""

    approval: str


class AskApproval(StepOrder):
    """Put a question to somebody in the team. The answer comes as an event `Approval Answered`."""

    activity = "ask_approval"
    answer = Asked

    question: str
    who: str
    until: datetime
