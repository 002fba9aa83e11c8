"""The step journal: what each visit of each step came to, kept in workflow memory so that the journey can go on in
newer code.

The new run executes `steps()` from the top. What is kept returns at once, an open wait goes on with its old deadline,
and everything after that is new. No event is written for any of it until a run is continued.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_core import to_json
from temporalio.exceptions import ActivityError

from tabiji.domain.orders import Carried, Failure, Kept, Open, Passed
from tabiji.errors import InsertedStep, JourneyDefinitionError
from tabiji.journey.endings import failed, failure_of

IfPassed = Literal["skip", "run"]
"""What to do with a step that newer code has put where somebody has already been."""

PATH_KEPT = 500
"""Steps of the path that are kept; of longer ways only the end."""


@dataclass(frozen=True)
class Place:
    """One visit of one step."""

    step: str
    visit: int


class Journal:
    """What one enrollment has been through, over all its runs."""

    def __init__(self) -> None:
        self._kept: dict[Place, JsonValue] = {}
        self._failed: dict[Place, Failure] = {}
        self._came_with: dict[Place, Open] = {}
        self._ahead: set[Place] = set()
        self.open: dict[Place, Open] = {}
        self.consumed: dict[int, None] = {}
        self.done: list[Place] = []
        self.path: list[Passed] = []
        self.forgotten = 0
        self.moves = 0

    def take_up(self, carried: Carried) -> None:
        """Go on from where the run before was continued."""
        self._kept = {Place(kept.step, kept.visit): kept.result for kept in carried.journal}
        self._failed = {Place(kept.step, kept.visit): kept.failure for kept in carried.journal if kept.failure}
        self._came_with = {Place(wait.step, wait.visit): wait for wait in carried.open}
        self._ahead = set(self._kept) | set(self._came_with)
        self.consumed = dict.fromkeys(carried.consumed)
        self.done = [Place(step, visit) for step, visit in carried.done]
        self.path = list(carried.path)
        self.forgotten = carried.forgotten
        self.moves = carried.moves

    def carried(self) -> Carried:
        """What the next run takes along."""
        return Carried(
            journal=tuple(
                Kept(step=at.step, visit=at.visit, result=result, failure=self._failed.get(at))
                for at, result in self._kept.items()
            ),
            open=tuple(self.open.values()),
            consumed=tuple(self.consumed),
            done=tuple((at.step, at.visit) for at in self.done),
            path=tuple(self.path),
            forgotten=self.forgotten,
            moves=self.moves + 1,
        )

    def has(self, place: Place) -> bool:
        """Whether this visit is behind the person."""
        return place in self._kept

    def recall(self, place: Place, answer: TypeAdapter[Any]) -> Any:
        """What this visit came to.

        Raises:
            ActivityError: That it failed, as it did when the person was here.
        """
        self._ahead.discard(place)
        if place in self._failed:
            raise failed(self._failed[place])
        try:
            return answer.validate_json(to_json(self._kept[place]))
        except ValidationError as error:
            raise JourneyDefinitionError(
                f"step {place.step!r} came to something that is not what the code returns now: {error.title}. "
                "Give the step that returns something new a name of its own, step='…'."
            ) from None

    def keep(self, place: Place, result: JsonValue) -> None:
        """This visit is over."""
        self._kept[place] = result

    def keep_failure(self, place: Place, error: ActivityError) -> None:
        """This visit is over: it failed for good, and whoever wrote the journey may have foreseen that."""
        self._kept[place] = None
        self._failed[place] = failure_of(error)

    def reach(self, place: Place, if_passed: IfPassed | None, known: Callable[[str], bool]) -> bool:
        """A step begins that nothing is kept of. False: it is to be skipped.

        Args:
            place: Of the step.
            if_passed: The author's word on a step newer code has inserted.
            known: Whether a step id still stands in the code: what was removed lies ahead of nobody.

        Raises:
            InsertedStep: The person has been further than this, and the author has not said what to do.
        """
        if place in self._came_with:
            self._ahead.discard(place)
            return True
        ahead = sorted({at.step for at in self._ahead if known(at.step)})
        if not ahead or if_passed == "run":
            return True
        if if_passed == "skip":
            return False
        raise InsertedStep(place.step, ahead[0])

    @property
    def ahead(self) -> frozenset[str]:
        """Steps the person has been through, or waits at, that this run has not come to."""
        return frozenset(at.step for at in self._ahead)

    def opened(self, place: Place, deadline: datetime | None, now: datetime) -> Open:
        """A wait begins, or goes on with its old deadline."""
        wait = self._came_with.get(place) or Open(
            step=place.step, visit=place.visit, deadline=deadline, started=now, taken=len(self.consumed)
        )
        self.open[place] = wait
        return wait

    def taken_before(self, place: Place) -> frozenset[int]:
        """The events that earlier waits had taken when this one was opened, in whichever run that was."""
        return frozenset(islice(self.consumed, self.open[place].taken))

    def consume(self, seqs: Iterable[int]) -> None:
        """These events have answered a wait, and answer no later one."""
        self.consumed |= dict.fromkeys(sorted(seqs))

    def closed(self, place: Place) -> None:
        """A wait is over."""
        self.open.pop(place, None)
        self._came_with.pop(place, None)

    def came_with(self, place: Place) -> Open | None:
        """The wait a continued run finds open here."""
        return self._came_with.get(place)

    def passed(self, place: Place, result: str, at: datetime) -> None:
        """Put a step that is behind the person into the path."""
        self.path.append(Passed(step=place.step, visit=place.visit, result=result, at=at))
        if len(self.path) > PATH_KEPT:
            del self.path[0]
            self.forgotten += 1
