"""What people have asked for does not queue behind what they merely agreed to."""

from __future__ import annotations

import asyncio

import pytest

from tests.crash.scene import Scene
from tests.journeys.stage import until

MANY = 150


@pytest.mark.slow
async def test_a_receipt_overtakes_a_hundred_mails_that_wait_for_a_slow_relay(on_sqlite: Scene) -> None:
    """In Temporal's queue by its priority, at the relay by its lane. What is being sent already is finished first."""
    scene = on_sqlite
    scene.relay.slowness = 0.3
    people = [await scene.person() for _ in range(MANY + 1)]
    *many, buyer = people
    await asyncio.gather(*(scene.enters("crossing", one) for one in many))
    await scene.worker()
    await scene.relay.has(20)
    before = len(scene.relay.received)
    await scene.enters("bought", buyer)
    await until(lambda: bool(scene.relay.mails_to(buyer.address)), "the receipt", within=60)
    at = next(n for n, mail in enumerate(scene.relay.received) if mail.address == buyer.address)
    # Ten connections are busy with what was first, and an activity or two of each had been handed out.
    assert at - before < MANY / 3
    assert len(scene.relay.received) < MANY
