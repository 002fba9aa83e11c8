"""What went out, as lists a test reads at a glance: `assert journeys.outbox == ["trial/welcome"]`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar, overload

T = TypeVar("T")


@dataclass(frozen=True)
class Mail:
    """A mail that went out. `at` is journey time, to the minute; `day` counts from the beginning of the test's time."""

    template: str
    contact: str
    topic: str
    at: datetime
    day: int
    step: str
    message: str
    enrollment: str


@dataclass(frozen=True)
class Notice:
    """Something the team was told. `team` is "sales" for `notify_sales`."""

    team: str
    text: str
    contact: str
    at: datetime
    day: int
    enrollment: str


class Shown(Sequence[T], Generic[T]):
    """Things in order, which a list of their names equals too."""

    def __init__(self, things: Sequence[T], name: Callable[[T], str]) -> None:
        self._things = list(things)
        self._name = name

    @property
    def names(self) -> list[str]:
        """The names alone."""
        return [self._name(thing) for thing in self._things]

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self._things[index]

    def __len__(self) -> int:
        return len(self._things)

    def __iter__(self) -> Iterator[T]:
        return iter(self._things)

    def __contains__(self, thing: object) -> bool:
        return thing in self._things or thing in self.names

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Shown):
            return self.names == [str(name) for name in other.names]
        return other in (self._things, self.names)

    __hash__ = None  # type: ignore[assignment] # as lists

    def __repr__(self) -> str:
        return repr(self.names)
