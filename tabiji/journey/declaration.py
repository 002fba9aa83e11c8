"""`@journey`: makes a class a workflow, and writes down what the outside must know of it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from temporalio import workflow

from tabiji.domain.journeys import JourneySpec, Overdue, Reentry, each_time, ends, never, starts
from tabiji.domain.occasions import Trigger, by_kind
from tabiji.domain.orders import EnrollmentInput, Outcome
from tabiji.domain.patterns import Single
from tabiji.domain.sending.held_out import LONGEST_SHARE
from tabiji.errors import JourneyDefinitionError
from tabiji.journey.journey import Journey
from tabiji.journey.known import stands
from tabiji.journey.members import declaring
from tabiji.journey.reserved import refuse_taken_names
from tabiji.journey.steps import name_steps, step_table

J = TypeVar("J", bound=type[Journey])
MOST_PRIORITY = 100
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def journey(
    *,
    trigger: Trigger | tuple[Trigger, ...] = (),
    goal: Single | tuple[Single, ...] = (),
    exit: Single | tuple[Single, ...] = (),
    reentry: Reentry | None = None,
    overdue: Overdue = "send",
    priority: int = 0,
    holdout: float = 0.0,
    name: str | None = None,
) -> Callable[[J], J]:
    """Declare a journey. The class stays an ordinary Temporal workflow class.

    Args:
        trigger: What enters a contact: events, dates of theirs, schedules, any number of any kind. None: only the API
            and other journeys do.
        goal: Events that end the journey at once, wherever the contact is: what it was for has been reached.
        exit: Events that end it at once because it is of no use any more.
        reentry: Who may enter again: `never`, `each_time`, `after(days=…)` or `always`, each `.per("order_id")` if need
            be. Not given, it is `never`, and `each_time` where a date or a schedule is among the triggers.
        overdue: What a resume does with what became due during a pause: `send` it at once, `shift` it, as long after
            the pause as it was due after its beginning, or `skip` it, where it reaches people.
        priority: Where caps leave room for one mail to a person only, that of the higher journey goes out. -100 to 100.
        holdout: This share of the people who come to a mail of the journey get none of its marketing, so that it can
            be seen what the journey brings: 0.1 is every tenth. At most a half.
        name: The workflow type; made from the class name when absent (`WhitepaperNurture`: whitepaper-nurture).

    Raises:
        JourneyDefinitionError: The class breaks a rule of the language. Names file, line and remedy.
    """

    def declare(cls: J) -> J:
        workflow_type = name or _kebab(cls.__name__)
        if not _NAME.fullmatch(workflow_type):
            raise JourneyDefinitionError(
                f"journey name {workflow_type!r} must be lower-case words joined by hyphens, e.g. 'trial-nurture'."
            )
        if not inspect.iscoroutinefunction(cls.steps) or cls.steps is Journey.steps:
            raise JourneyDefinitionError(f"journey {cls.__name__} needs `async def steps(self) -> None`.")
        if not -MOST_PRIORITY <= priority <= MOST_PRIORITY:
            raise JourneyDefinitionError(f"priority={priority} of {cls.__name__} must lie between -100 and 100.")
        if not 0 <= holdout <= LONGEST_SHARE:
            raise JourneyDefinitionError(f"holdout={holdout} of {cls.__name__} must lie between 0 and {LONGEST_SHARE}.")
        refuse_taken_names(cls)
        triggers = by_kind(trigger if isinstance(trigger, tuple) else (trigger,))
        cls.spec = JourneySpec(
            name=workflow_type,
            # Not getdoc(): it would fall back to what Journey itself says.
            title=inspect.cleandoc(cls.__doc__ or workflow_type).splitlines()[0],
            triggers=starts(triggers.events),
            goals=ends(_several(goal), "goal"),
            exits=ends(_several(exit), "exit"),
            dates=triggers.dates,
            schedules=triggers.schedules,
            overdue=overdue,
            priority=priority,
            holdout=holdout,
            reentry=reentry or (each_time if triggers.dates or triggers.schedules else never),
        )
        cls.stands = partial(stands, cls)
        source = inspect.getsourcefile(cls)
        if source is None:
            raise JourneyDefinitionError(f"journey {cls.__name__} must be declared in a file, its source is read.")
        step_table(source)
        name_steps(cls)
        _give_run(cls)
        with declaring():
            return workflow.defn(name=workflow_type)(cls)

    return declare


def _give_run(cls: type[Journey]) -> None:
    # The SDK wants `run` on the class itself, and takes an annotated self for the first payload.
    async def run(self, enrollment: EnrollmentInput) -> Outcome:  # type: ignore[no-untyped-def] # see above
        return await Journey.travel(self, enrollment)  # pyright: ignore[reportUnknownArgumentType] # see above

    run.__qualname__ = f"{cls.__qualname__}.run"
    run.__module__ = cls.__module__
    cls.run = workflow.run(run)  # type: ignore[attr-defined] # added here for the SDK alone


def _several(given: Single | tuple[Single, ...]) -> tuple[Single, ...]:
    return given if isinstance(given, tuple) else (given,)


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()
