"""The class authors subclass.

    @journey(trigger=on("Trial Started"), goal=on("Order Completed"))
    class TrialNurture(Journey):
        async def steps(self) -> None:
            await self.send_email("trial/welcome")
            if await self.wait_for(on("Feature Used"), timeout=days(3)):
                await self.send_email("trial/tips")

The verbs are in `tabiji.journey.verbs`. It is a Temporal workflow class: signals, queries, updates and `workflow.*`
may be added. Take the time from `self.now()`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, NoReturn

from temporalio import workflow

from tabiji.domain.journeys import JourneySpec
from tabiji.domain.orders import DOING, JOURNAL, SIGNAL, Carried, EnrollmentInput, Happened, Outcome
from tabiji.errors import JourneyDefinitionError
from tabiji.journey.travel import Travel
from tabiji.journey.verbs.base import kept_as
from tabiji.journey.verbs.composition import Composition
from tabiji.journey.verbs.contacts import Contacts
from tabiji.journey.verbs.messages import Messages
from tabiji.journey.verbs.reads import Reads
from tabiji.journey.verbs.waits import Waits

_INSTANT = kept_as(datetime)


class Journey(Messages, Waits, Contacts, Reads, Composition):
    """One contact's way through one journey."""

    spec: ClassVar[JourneySpec]
    stands: ClassVar[Callable[[str], bool]]
    """Whether a step, by the name a run gave it, is in the code. Set by `@journey`, like `spec`."""

    if not TYPE_CHECKING:  # to type checkers an author's own __init__ would contradict it

        def __new__(cls, *_args, **_named):
            """Made here rather than in `__init__`, which authors may write without thinking of ours."""
            self = super().__new__(cls)
            self._travel = Travel(cls.spec, cls.stands)
            return self

    async def steps(self) -> None:
        """The journey itself. Written by the author."""
        raise JourneyDefinitionError(f"journey {type(self).__name__} needs `async def steps(self) -> None`.")

    @property
    def contact(self) -> str:
        """Id of the contact who travels."""
        return self._travel.enrollment.contact_id

    @property
    def trigger(self) -> Happened | None:
        """The event that started the journey, with the properties its trigger takes."""
        return self._travel.enrollment.trigger

    def now(self, *, step: str | None = None) -> datetime:
        """Journey time: the clock every wait and every order goes by. Aware, UTC.

        What it said is kept: newer code that runs these steps again is told the same.
        """
        return self._travel.once_now(self._travel.place("now", step), _INSTANT)

    def exit(self, reason: str) -> NoReturn:
        """End the journey here, with a reason for the record. Nothing after it runs, in no branch."""
        self._travel.exit(reason)

    # Temporal's side

    @workflow.signal(
        name=SIGNAL,
        description='An event of this contact. By hand, {"event": "Demo Attended"} counts for what is waited for now.',
    )
    def happened(self, event: Happened) -> None:
        """Take an event the outbox or a person at the Temporal UI sends. See `Travel.happened`."""
        self._travel.happened(event)

    @workflow.query(name=DOING, description="What goes on at this moment, in words")
    def doing(self) -> list[str]:
        """What the story says under "Now"."""
        return self._travel.goings_on

    @workflow.query(name=JOURNAL, description="What newer code would take over, were this person moved now")
    def journal(self) -> Carried:
        """The steps behind the person and the waits that are open."""
        return self._travel.journal.carried()

    async def travel(self, enrollment: EnrollmentInput) -> Outcome:
        """Run the steps to their end. Called by the `run` that `@journey` adds."""
        return await self._travel.run(enrollment, self.steps())
