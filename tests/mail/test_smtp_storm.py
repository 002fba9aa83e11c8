"""Lines that break all the time: what is said of each mail is true."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta

import pytest

from tabiji.channels.carrier import PermanentFailure, Taken, TemporaryFailure, Unclear
from tabiji.channels.email.smtp import Endpoint, Relays, Route
from tests.mail.sinks import Sink, a_mail, sink

LONG = timedelta(seconds=20)
MANY = 400


@pytest.mark.parametrize("pipelining", [True, False])
async def test_taken_was_taken_and_not_taken_was_not(pipelining: bool) -> None:
    """Two relays whose lines are cut at any moment. A mail that is lost, or taken and called refused, fails this."""
    async with (
        sink(latency=0.001, pipelining=pipelining) as one,
        sink(latency=0.001, pipelining=pipelining) as other,
    ):
        carrier = Relays([_route("one", one), _route("other", other)])
        chance = random.Random(5)  # noqa: S311 - for a test
        fates: dict[int, str] = {}
        waiting = list(range(MANY))

        async def work() -> None:
            while waiting:
                number = waiting.pop()
                recipient = f"550.p{number}@example.jp" if number % 20 == 0 else f"p{number}@example.jp"
                fates[number] = await _fate(carrier, recipient, number)

        async def cut() -> None:
            while True:
                await asyncio.sleep(chance.uniform(0.001, 0.01))
                for transport in list(chance.choice((one, other)).house.open):
                    if chance.random() < 0.3:
                        transport.abort()

        cutting = asyncio.create_task(cut())
        await asyncio.gather(*(work() for _ in range(8)))
        cutting.cancel()
        await carrier.close()
    came = Counter(int(name[1:].split(b"@")[0]) for at in (one, other) for name, _ in at.counts.pairs.elements())
    said = Counter(fates.values())
    assert all(came[number] == 1 for number, fate in fates.items() if fate == "taken"), "lost, or twice"
    assert all(came[number] == 0 for number, fate in fates.items() if fate in ("temporary", "permanent"))
    assert max(came.values()) == 1, "nothing was repeated behind the caller's back"
    assert said["taken"] > MANY / 4
    assert min(said["permanent"], said["unclear"]) > 0, said


def _route(name: str, at: Sink) -> Route:
    return Route(name=name, endpoint=Endpoint(host="127.0.0.1", port=at.port), connections=4, messages=7)


async def _fate(carrier: Relays, recipient: str, number: int) -> str:
    while True:
        try:
            taken = await carrier.send(a_mail(recipient, number), within=LONG)
        except PermanentFailure:
            return "permanent"
        except Unclear:
            return "unclear"
        except TemporaryFailure as failure:
            if failure.after is None:
                return "temporary"
            await asyncio.sleep(failure.after.total_seconds())  # left alone: not asked
        else:
            assert isinstance(taken, Taken)
            return "taken"
