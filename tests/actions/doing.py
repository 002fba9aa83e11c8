"""Carries out orders as a worker does, on a road without Temporal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.testing import ActivityEnvironment

from activities.contacts import Contacts
from activities.reads import Reads
from activities.tasks import Tasks
from models.contact import Contact
from models.database import AnyRow, Database
from models.event import Event
from tabiji.domain.facts import KIND
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.orders import StepOrder
from tests.mail.people import NOON, Person, person
from tests.road.parts import Road

Order = TypeVar("Order", bound=StepOrder)


def environment(*, attempt: int = 1, waited: timedelta = timedelta(0)) -> ActivityEnvironment:
    """An attempt, so long after the first was due."""
    made = ActivityEnvironment()
    made.info = replace(
        made.info,
        attempt=attempt,
        activity_id="7",
        start_to_close_timeout=timedelta(seconds=60),
        started_time=made.info.scheduled_time + waited,
    )
    return made


@dataclass
class Doing:
    """One contact in a journey, and what can be done about them."""

    road: Road
    who: Person
    attempts: int = field(default=0)

    def order(self, kind: type[Order], *, step: str | None = None, **fields: Any) -> Order:
        """An order of the contact's journey; `step` is named after the kind."""
        step = step or re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
        known: dict[str, Any] = {"enrollment_id": self.who.enrollment, "contact_id": str(self.who.id), "visit": 1}
        return kind.model_validate({**known, "step": step, "at": NOON, **fields})

    async def carry_out(self, order: StepOrder, **attempt: Any) -> Any:
        """What the activity of an order answers."""
        database = self.road.database
        ours = [*Contacts(self.road.recorder).all, *Reads(database).all, *Tasks(self.road.recorder).all]
        by_name: dict[str, Callable[..., Any]] = {one.__name__: one for one in ours}
        return await environment(**attempt).run(by_name[order.activity], order)

    async def contact(self) -> AnyRow:
        """The contact's row as it is now."""
        (row,) = await self.road.rows(Contact, id=self.who.id)
        return row

    async def changes(self) -> list[AnyRow]:
        """The events that tell of changes, in their order."""
        return [row for row in await self.road.rows(Event, contact_id=self.who.id) if row.kind == KIND]


async def doing(database: Database, *specs: JourneySpec, **contact: Any) -> Doing:
    """Somebody, in `whitepaper-nurture`."""
    return Doing(Road(database, *specs), await person(database, **contact))
