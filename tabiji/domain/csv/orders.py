"""What passes between who reads a file and who keeps what stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from pydantic import JsonValue

from tabiji.domain.csv.people import PersonRead, Problem
from tabiji.domain.csv.similar import Likely

IMPORTED = "Contact Imported"
"""Name of the event an import leaves with each person. Properties: import, file, line."""


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """A file to be imported."""

    name: str
    digest: str
    reading: dict[str, JsonValue]
    trigger: bool = False
    rate: float | None = None
    as_of: datetime | None = None
    """How old it is; now, where it does not say."""


@dataclass(frozen=True, slots=True)
class Job:
    """An import under way. `place`: the last line that has been dealt with."""

    id: UUID
    order: ImportOrder
    place: int = 0
    state: str = "running"


@dataclass(slots=True)
class Tally:
    """What has been counted since it was last written down."""

    place: int = 0
    people: int = 0
    known: int = 0
    refused: int = 0
    problems: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Which contacts a person's identities lead to now."""

    by_user: UUID | None = None
    by_email: UUID | None = None

    @property
    def contact(self) -> UUID | None:
        """The contact the most telling of them leads to."""
        return self.by_user or self.by_email


@dataclass(frozen=True, slots=True)
class Pair:
    """Two who may be one. `one` and `other` are contacts, or lines of a file that is only looked at."""

    one: str
    other: str
    score: float
    reasons: tuple[str, ...]
    found: str = ""
    """Which of the two was found among all contacts there are."""
    email: str = ""
    """Their address."""


class Store(Protocol):
    """Where contacts are kept, as an import needs it."""

    async def begin(self, order: ImportOrder) -> Job:
        """Write down that this file is being imported."""
        ...

    async def take_over(self, job: UUID) -> Job:
        """Go on with an import, whoever worked on it until now.

        Raises:
            UnknownImport: There is none of that id.
        """
        ...

    async def look(self, people: Sequence[PersonRead]) -> list[Standing]:
        """Where the identities of people lead now."""
        ...

    async def record(self, job: Job, people: Sequence[PersonRead]) -> list[UUID]:
        """Keep who people are and what is known of them. Again after a crash, it changes nothing.

        Returns:
            The contact of each.
        """
        ...

    async def settle(
        self, job: Job, people: Sequence[PersonRead], contacts: Sequence[UUID], tally: Tally
    ) -> list[Problem]:
        """Keep tags, lists and decisions of people who are recorded, and how far the import is.

        In the order of the file: what lies before its place is never looked at again.

        Raises:
            Superseded: Somebody else has taken over.
        """
        ...

    async def finish(self, job: Job, tally: Tally) -> None:
        """Write down that all of it is done."""
        ...

    async def alike(self, likely: Likely[str]) -> Sequence[Pair]:
        """Who of all contacts there are may be one of these."""
        ...

    async def keep(self, job: Job, pairs: Iterable[Pair]) -> int:
        """Put pairs on the list for somebody to look at. Returns how many were not on it yet."""
        ...


class OpenStore(Protocol):
    """Opens the store of the project in the current folder."""

    def __call__(self, *, trigger: bool) -> AbstractAsyncContextManager[Store]:
        """`trigger`: what is written may set journeys going."""
        ...
