"""Which journeys play in a test: those it names, those they lead to, and nobody else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

from tabiji.domain.journeys import Catalog
from tabiji.errors import UnknownJourney
from tabiji.journey.journey import Journey
from tabiji.testing.mistakes import Mistake

__tracebackhide__ = True


class Cast:
    """The journeys of a test, by name."""

    def __init__(self) -> None:
        self._classes: dict[str, type[Journey]] = {}
        self.catalog = Catalog()

    def __bool__(self) -> bool:
        return bool(self._classes)

    def __getitem__(self, name: str) -> type[Journey]:
        return self._classes[name]

    def add(self, journeys: Iterable[type[Journey]]) -> Catalog:
        """Take journeys in, and those they enter or hand over to."""
        todo = list(journeys)
        while todo:
            journey = todo.pop()
            if "spec" not in vars(journey):
                raise Mistake(f"{journey.__qualname__} is no journey yet: put @journey(…) above the class.")
            name = journey.spec.name
            known = self._classes.setdefault(name, journey)
            if known is not journey:
                raise Mistake(
                    f"two journeys of this test are called {name!r}: {known.__module__}.{known.__qualname__} and "
                    f"{journey.__module__}.{journey.__qualname__}. Give one of them @journey(name=…)."
                )
            todo += [one for one in _led_to(journey) if one.spec.name not in self._classes]
        self.catalog = Catalog(journey.spec for journey in self._classes.values())
        return self.catalog

    def add_by_name(self, name: str) -> Catalog:
        """Take a journey in that is imported somewhere.

        Raises:
            UnknownJourney: None of that name is.
        """
        if name in self._classes:
            return self.catalog
        return self.add([_imported(name)])


def _led_to(journey: type[Journey]) -> Iterator[type[Journey]]:
    for goal in journey.spec.goals:
        if goal.then is not None:
            yield _imported(goal.then)
    seen: set[CodeType] = set()
    for parent in journey.__mro__:
        if parent is not Journey and issubclass(parent, Journey):
            for value in vars(parent).values():
                if isinstance(value, FunctionType):
                    yield from _named_in(value, seen)


def _named_in(function: FunctionType, seen: set[CodeType]) -> Iterator[type[Journey]]:
    """Journeys a function speaks of, and those its helpers do."""
    if function.__code__ in seen:
        return
    seen.add(function.__code__)
    for name in _names(function.__code__):
        value: Any = function.__globals__.get(name)
        if isinstance(value, type) and issubclass(value, Journey) and "spec" in vars(value):
            yield value
        elif isinstance(value, FunctionType) and not value.__module__.startswith("tabiji."):
            yield from _named_in(value, seen)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _imported(name: str) -> type[Journey]:
    found = [journey for journey in _all(Journey) if vars(journey)["spec"].name == name and _is_at_home(journey)]
    if not found:
        raise UnknownJourney(name, tuple(sorted({journey.spec.name for journey in _all(Journey)})))
    return found[0]


def _all(parent: type[Journey]) -> Iterator[type[Journey]]:
    for journey in parent.__subclasses__():
        if "spec" in vars(journey):
            yield journey
        yield from _all(journey)


def _is_at_home(journey: type[Journey]) -> bool:
    """Whether this is the class its module has: the SDK's sandbox makes copies."""
    return vars(sys.modules.get(journey.__module__, object)).get(journey.__qualname__) is journey
