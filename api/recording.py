"""The one way from a route to the recorder, so that what was stored is counted."""

from __future__ import annotations

from collections.abc import Sequence

from api.parts import Parts
from models.record import Incoming, Recorded


async def record(parts: Parts, batch: Sequence[Incoming]) -> list[Recorded]:
    """Store a batch, all of it or nothing, and wake whoever waits for it.

    Raises:
        DatabaseDown: Nothing is known to be stored; the client may send it again.
        UnknownContact: An item names a contact that is not there.
    """
    recorded = await parts.recorder.record(batch)
    for item, result in zip(batch, recorded, strict=True):
        if result.duplicate:
            parts.metrics.copies.inc()
        else:
            parts.metrics.events.labels(item.kind).inc()
    return recorded
