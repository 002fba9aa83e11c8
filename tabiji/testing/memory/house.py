"""The house in memory, whole: one object that carries out every order a journey gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, JsonValue

from tabiji.domain.changes import (
    AddToAttribute,
    AskApproval,
    CallWebhook,
    ClearAttribute,
    CreateTask,
    Expose,
    JoinList,
    LeaveList,
    LookUp,
    NotifyTeam,
    SetAttribute,
    SetStage,
    Untag,
)
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import (
    CONTROL_STEP,
    AdjustScore,
    Appoint,
    Control,
    Ended,
    Enter,
    Happened,
    Listen,
    LookBack,
    NotifySales,
    SendEmail,
    StepOrder,
    TagContact,
)
from tabiji.domain.quiet import Window
from tabiji.domain.sending.house import House as Rules
from tabiji.domain.topics import Topics
from tabiji.errors import Paused
from tabiji.testing.memory.knowing import Knowing
from tabiji.testing.memory.outside import Outside
from tabiji.testing.memory.recording import Recording
from tabiji.testing.memory.sending import Sending
from tabiji.testing.memory.state import Clock, Pending, State
from tabiji.testing.memory.waiting import Waiting

BOOKKEEPING = (Listen, LookBack, Appoint, Ended, LookUp)
"""Orders that change nothing outside the journey: no pause stops them."""


class House:
    """What an application is to its journeys. `recording` is its entrance, `state` what it knows."""

    def __init__(
        self,
        clock: Clock,
        *,
        catalog: Catalog | None = None,
        zone: ZoneInfo | None = None,
        quiet: Window | None = None,
        topics: Topics | None = None,
    ) -> None:
        zone = zone or ZoneInfo("UTC")
        self.clock = clock
        self.state = State()
        self.recording = Recording(self.state, clock, catalog)
        self.waiting = Waiting(self.recording, zone)
        self.sending = Sending(self.state, Rules(zone=zone, quiet=quiet, topics=topics or Topics()), self._priority)
        self.knowing = Knowing(self.recording)
        self.outside = Outside(self.recording)

    def _priority(self, journey: str) -> int:
        catalog = self.recording.catalog
        return catalog.get(journey).priority if journey in catalog else 0

    def carry_out(self, order: StepOrder) -> BaseModel:
        """Do what a journey asks.

        Raises:
            Paused: Not now. The journey is told when the pause is over.
            UnknownContact: The contact is gone.
        """
        enrollment = self.state.enrollments.get(order.enrollment_id)
        if enrollment is not None and enrollment.paused_since is not None and not isinstance(order, BOOKKEEPING):
            enrollment.held = True
            raise Paused(order.enrollment_id)
        return CARRIERS[type(order)](self)(order)

    def pause(self, enrollment: str) -> None:
        """Stop the effects of one enrollment. Its waits go on."""
        found = self.state.enrollments[enrollment]
        if found.paused_since is None:
            found.paused_since = self.clock.wall()

    def resume(self, enrollment: str) -> None:
        """End the pause, and tell whoever met it."""
        found = self.state.enrollments[enrollment]
        since, found.paused_since = found.paused_since, None
        if found.held and since is not None:
            found.held = False
            self.control(enrollment, Control.RESUME, paused_wall=since.isoformat())

    def control(self, enrollment: str, control: Control, **properties: JsonValue) -> None:
        """Tell an enrollment what people in operations want of it."""
        happened = Happened(event=control.value, step=CONTROL_STEP, properties=properties)
        self.state.outbox.append(Pending("signal", enrollment, happened))


CARRIERS: dict[type[StepOrder], Callable[[House], Callable[[Any], BaseModel]]] = {
    Listen: lambda house: house.waiting.listen,
    LookBack: lambda house: house.waiting.look_back,
    Appoint: lambda house: house.waiting.appoint,
    Ended: lambda house: house.waiting.ended,
    Enter: lambda house: house.waiting.enter,
    SendEmail: lambda house: house.sending.send_email,
    NotifySales: lambda house: house.sending.notify_sales,
    NotifyTeam: lambda house: house.sending.notify,
    AdjustScore: lambda house: house.knowing.adjust_score,
    TagContact: lambda house: house.knowing.tag,
    Untag: lambda house: house.knowing.untag,
    JoinList: lambda house: house.knowing.join_list,
    LeaveList: lambda house: house.knowing.leave_list,
    SetAttribute: lambda house: house.knowing.set_attribute,
    AddToAttribute: lambda house: house.knowing.add_to_attribute,
    ClearAttribute: lambda house: house.knowing.clear_attribute,
    SetStage: lambda house: house.knowing.set_stage,
    CreateTask: lambda house: house.outside.create_task,
    CallWebhook: lambda house: house.outside.call_webhook,
    AskApproval: lambda house: house.outside.ask_approval,
    LookUp: lambda house: house.outside.look_up,
    Expose: lambda house: house.outside.expose,
}
"""What carries out each order there is."""
