"""What Temporal's SDK sees of a journey's class when it is declared: its handlers, and all that its author wrote.

The SDK looks at every member of a class and of each of its bases, one by one, and it does so again for each workflow,
whose sandbox reads the module anew. The language's verbs are none of its business; without them a declaration takes a
fifth of the time.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

_declaring: ContextVar[bool] = ContextVar("tabiji_declaring", default=False)


class Narrowed(type):
    """Metaclass of journeys. Outside of `declaring` their members are listed as any class's are."""

    def __dir__(cls) -> Iterable[str]:
        return _seen(cls) if _declaring.get() else super().__dir__()


@contextmanager
def declaring() -> Generator[None]:
    """List only what is the SDK's business."""
    token = _declaring.set(True)
    try:
        yield
    finally:
        _declaring.reset(token)


def _seen(cls: type) -> list[str]:
    names: set[str] = set()
    for base in cls.__mro__:
        if base is not object:
            names.update(_handlers(base) if base.__module__.startswith("tabiji.") else vars(base))
    return sorted(names)


@cache
def _handlers(ours: type) -> frozenset[str]:
    """Of one of the library's own classes, the members that Temporal's decorators have marked."""
    marks = ("__temporal_signal_definition", "__temporal_query_definition", "_defn")
    return frozenset(name for name, value in vars(ours).items() if any(hasattr(value, mark) for mark in marks))
