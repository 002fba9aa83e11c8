"""All events that are declared: what comes in, and what conditions ask for, is held against them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tabiji.domain.events import UNKNOWN_EVENT, UTM, Event, Problem, doubts
from tabiji.domain.patterns import Pattern, conditions_in
from tabiji.domain.values import Properties
from tabiji.errors import JourneyDefinitionError


class EventCatalog:
    """Every event that is declared."""

    def __init__(self, events: Iterable[type[Event]] = (), built_in: Iterable[type[Event]] = ()) -> None:
        declared: dict[str, type[Event]] = {}
        for event in events:
            known = declared.setdefault(event.event_name, event)
            if known is not event:
                raise JourneyDefinitionError(
                    f"{known.__name__} and {event.__name__} both declare the event {event.event_name!r}. Keep one."
                )
        self._own = frozenset(declared)
        # The application's word on an event of ours counts more: it knows what its forms and pages send.
        self._by_name = {event.event_name: event for event in built_in} | declared
        for event in self._by_name.values():
            event.shapes()

    def __iter__(self) -> Iterator[type[Event]]:
        return iter(sorted(self._by_name.values(), key=lambda event: event.event_name))

    def get(self, name: str) -> type[Event] | None:
        """The declaration of an event, by its name."""
        return self._by_name.get(name)

    def own(self, event: type[Event]) -> bool:
        """Whether the application declares it; else it is built in."""
        return event.event_name in self._own

    def problems(self, name: str, properties: Properties) -> tuple[Problem, ...]:
        """Where an event that came in is not as declared. Quick: it is asked of every event."""
        event = self._by_name.get(name)
        if event is None:
            return (Problem("", UNKNOWN_EVENT),) if self._own else ()
        shapes = event.shapes()
        found: list[Problem] = []
        for key, value in properties.items():
            shape = shapes.get(key)
            if shape is None:
                if not event.further and key not in UTM:
                    found.append(Problem(key, "not declared"))
            elif not shape.fits(value):
                found.append(Problem(key, shape.wrong(value)))
        found += [Problem(key, "missing") for key, shape in shapes.items() if shape.required and key not in properties]
        return tuple(found)

    def doubts(self, pattern: Pattern) -> Iterator[str]:
        """What a condition or pattern asks for that no declared event has, in words."""
        for condition in conditions_in(pattern):
            event = self._by_name.get(condition.event)
            if event is not None:
                yield from (f"{condition.event}: {doubt}" for doubt in doubts(event, condition.where, condition.take))
            elif self._own:
                yield f"{condition.event!r} is no declared event. Declare it in workflows/events.py, or mend the name."
