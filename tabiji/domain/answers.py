"""What answers a wait, as it travels to the journey that waits."""

from __future__ import annotations

from tabiji.domain.calendar import When
from tabiji.domain.conditions import Condition, Found, on
from tabiji.domain.dates import ContactDate
from tabiji.domain.orders import Happened, Part
from tabiji.domain.patterns import AnyOf, Pattern


def happened(pattern: Pattern, found: Found, step: str | None = None, visit: int = 0) -> Happened:
    """An answer with the properties the journey takes, nothing else of the events it stands for."""
    last = found.events[-1]
    several = not of_one_event(pattern)
    return Happened(
        event=last.name,
        seq=last.seq,
        at=last.at,
        properties=pattern.taken_from(last.name, last.properties),
        step=step,
        visit=visit,
        which=found.which,
        parts=tuple(
            Part(event=one.name, seq=one.seq, at=one.at, properties=pattern.taken_from(one.name, one.properties))
            for one in found.parts
        )
        if several
        else (),
        took=tuple(one.seq for one in found.events) if several else (),
    )


def of_one_event(pattern: Pattern) -> bool:
    """Whether each event answers by itself or not at all, whatever came before it."""
    return isinstance(pattern, Condition) or (isinstance(pattern, AnyOf) and all(map(of_one_event, pattern.of)))


def moved_by(when: When) -> Pattern:
    """What moves a moment on the contact's clock."""
    zone = on("Attribute Changed", name="timezone")
    return on("Attribute Changed", name=when.attribute) | zone if isinstance(when, ContactDate) else zone
