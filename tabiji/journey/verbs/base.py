"""What all verbs stand on.

Verbs are plain functions that return coroutines, so that the caller's place is known before gather() or create_task()
hides it.
"""

from __future__ import annotations

from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeAlias, TypeVar

from pydantic import TypeAdapter

from tabiji.journey.members import Narrowed
from tabiji.journey.travel import Travel

T = TypeVar("T")
Verb: TypeAlias = Coroutine[Any, Any, T]
"""What a verb returns: nothing happens until it is awaited."""


class Verbs(metaclass=Narrowed):
    """Gives verbs the run they act in."""

    _travel: Travel


@cache
def kept_as(kind: Any) -> TypeAdapter[Any]:
    """How a result of this type is kept in the journal."""
    return TypeAdapter(kind)


NOTHING = TypeAdapter(type(None))
"""For verbs that return nothing."""
