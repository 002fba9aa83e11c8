"""Workers die again and again while many travel."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import cast

import pytest

from models.message import Message
from tests.crash.scene import Person, Scene


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> Scene:
    return cast("Scene", request.getfixturevalue(request.param))


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("scene", "travellers", "kills"),
    [
        ("on_sqlite", 20, 2),
        pytest.param("on_sqlite", 200, 5, marks=[SLOW, pytest.mark.timeout(600)]),
        pytest.param("on_postgresql", 100, 4, marks=[SLOW, pytest.mark.timeout(600)]),
    ],
    indirect=["scene"],
)
async def test_two_workers_of_which_one_keeps_dying_send_everybody_everything(
    scene: Scene, travellers: int, kills: int
) -> None:
    """Each mail once, or again under its Message-ID and counted; what the ledger says is what the relay has seen."""
    dice = random.Random(travellers)  # noqa: S311 # chance of a test, the same each time
    scene.relay.slowness = 0.5
    _, mortal = await asyncio.gather(scene.worker(), scene.worker())
    people: dict[str, Person] = {}
    for _ in range(travellers):
        person = await scene.person()
        people[await scene.enters("hurried", person)] = person
    for mails in sorted(dice.sample(range(1, 2 * travellers - 4), kills)):
        await scene.relay.has(mails)
        await mortal.kill()
        await scene.start(mortal)
    assert set(await scene.ends(*people, within=400)) == {"completed"}

    messages = await scene.rows(Message)
    assert Counter(row.state for row in messages) == {"sent": 2 * travellers}
    seen = Counter(mail.message_id for mail in scene.relay.received)
    assert len(seen) == 2 * travellers, "none is lost, and a copy carries the Message-ID of the first"
    for enrollment, person in people.items():
        assert len(scene.relay.mails_to(person.address)) == 2
        counted = sum(row.maybe_twice for row in messages if row.enrollment_id == enrollment)
        assert scene.relay.mails_to(person.address).total() - 2 <= counted
