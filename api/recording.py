"""The one way from a route to the recorder, so that what was stored is counted."""

from __future__ import annotations

from collections.abc import Sequence

from api.parts import Parts
from models.incoming import Incoming
from models.record import Recorded
from tabiji.domain.events import Problem


async def record(parts: Parts, batch: Sequence[Incoming], *, lane: str = "") -> list[Recorded]:
    """Store a batch, all of it or nothing, and wake whoever waits for it. Lanes, by a key's name, take turns.

    Raises:
        DatabaseDown: Nothing is known to be stored; the client may send it again.
        UnknownContact: An item names a contact that is not there.
    """
    recorded = await parts.recorder.record(batch, lane=lane)
    for item, result in zip(batch, recorded, strict=True):
        _count(parts, item, result)
    return recorded


async def record_each(parts: Parts, batch: Sequence[Incoming], *, lane: str = "") -> list[Recorded | Exception]:
    """Store of a batch what can be stored; for the rest its error. The order is kept.

    Raises:
        DatabaseDown: Nothing is known to be stored; the client may send it again.
    """
    recorded = await parts.recorder.record_each(batch, lane=lane)
    for item, result in zip(batch, recorded, strict=True):
        if isinstance(result, Recorded):
            _count(parts, item, result)
    return recorded


def _count(parts: Parts, item: Incoming, result: Recorded) -> None:
    if result.duplicate:
        parts.metrics.copies.inc()
    else:
        parts.metrics.events.labels(item.kind).inc()
        _notice(parts, item)


def _notice(parts: Parts, item: Incoming) -> None:
    """Count where it is not as declared, or can enter nobody for want of a key. It is kept all the same."""
    found = list(parts.events.problems(item.name, item.properties))
    for spec, trigger in parts.catalog.started_by(item.name):
        key = spec.reentry.key
        without = key is not None and spec.reentry.entry_key(item.properties) is None
        if key is not None and without and trigger.matches(item.name, item.properties):
            found.append(Problem(key, f"cannot be a key: nobody entered {spec.name}"))
    for problem in found:
        parts.metrics.problems.labels(item.name if parts.events.get(item.name) else "undeclared").inc()
        parts.problems.notice(item.name, problem, item.properties, item.at)
