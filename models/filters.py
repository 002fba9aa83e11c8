"""What the database can tell of a condition: everything that matches, and more.

The condition itself has the last word. But who has looked at ten thousand pages would hold the lock for a second if
all of them were read to find one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Table, and_, or_

from tabiji.domain.conditions import Condition
from tabiji.domain.patterns import Pattern, conditions_in
from tabiji.domain.tests import Equals, Every, OneOf, Test


def may_match(events: Table, pattern: Pattern) -> ColumnElement[bool]:
    """Rows of the event table that could be part of an answer."""
    return or_(*(_may_match(events, condition) for condition in conditions_in(pattern)))


def _may_match(events: Table, condition: Condition) -> ColumnElement[bool]:
    return and_(events.c.name == condition.event, *_told(events, condition.where))


def _told(events: Table, tests: Sequence[Test]) -> Iterator[ColumnElement[bool]]:
    """Of tests that must all hold, those that are about texts: numbers and dates mean more than their letters."""
    for test in tests:
        match test:
            case Every():
                yield from _told(events, test.of)
            case Equals(value=str()) if _findable(test.path):
                yield events.c.properties[test.path].as_string() == test.value
            case OneOf() if _findable(test.path):
                texts = [value for value in test.values if isinstance(value, str)]
                if len(texts) == len(test.values):
                    yield events.c.properties[test.path].as_string().in_(texts)
            case _:
                pass


def _findable(path: str) -> bool:
    """SQLite finds a name only where it stands in JSON as it is written here; what a dot means, it does not know."""
    return path.isascii() and path.isidentifier()
