"""Rates a second, overall and by domain; and who goes first where mails wait."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from tabiji.channels.carrier import Held, Lane
from tabiji.channels.email.smtp import Endpoint, Rates, Relays, Route, SmtpRelay
from tabiji.channels.email.smtp.queueing import Places, Rate
from tests.mail.sinks import a_mail, sink

LONG = timedelta(seconds=20)


async def test_urgent_mail_overtakes_what_waits_for_a_connection() -> None:
    """Sixty mails to everybody wait for two connections to a slow relay; a receipt goes before all that wait."""
    async with sink(latency=0.005) as slow:
        client = SmtpRelay("127.0.0.1", slow.port, connections=2)
        order: list[str] = []

        async def send(name: str, number: int, lane: Lane) -> None:
            await client.send(a_mail(number=number), within=LONG, lane=lane)
            order.append(name)

        sending = [asyncio.create_task(send("bulk", number, "broadcast")) for number in range(60)]
        while not order:
            await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED, timeout=1)
        before = len(order)
        sending += [
            asyncio.create_task(send("journey", 100, "journey")),
            asyncio.create_task(send("receipt", 101, "transactional")),
        ]
        await asyncio.gather(*sending)
        await client.close()
    assert order.index("receipt") - before <= 3, "only what had a connection was first"
    assert order.index("receipt") < order.index("journey") < before + 6
    assert slow.counts.most_open == 2


async def test_who_gives_up_waiting_for_a_place_leaves_none_empty() -> None:
    places = Places(1)
    free = asyncio.Event()

    async def hold() -> None:
        async with places.one("journey"):
            await free.wait()

    holder, waiter = asyncio.create_task(hold()), asyncio.create_task(hold())
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    free.set()
    await holder
    async with asyncio.timeout(1), places.one("journey"):
        pass


async def test_a_rate_lets_a_burst_go_and_then_so_many_a_second() -> None:
    rate = Rate(20)
    began = time.perf_counter()
    await asyncio.gather(*(rate.turn("journey") for _ in range(20)))
    assert time.perf_counter() - began < 0.2
    await asyncio.gather(*(rate.turn("journey") for _ in range(10)))
    assert time.perf_counter() - began > 0.45


async def test_urgent_mail_overtakes_what_waits_for_a_rate() -> None:
    rate = Rate(20)
    await asyncio.gather(*(rate.turn("journey") for _ in range(20)))
    order: list[str] = []

    async def turn(name: Lane) -> None:
        await rate.turn(name)
        order.append(name)

    waiting = [asyncio.create_task(turn("broadcast")) for _ in range(8)]
    await asyncio.sleep(0)
    await asyncio.gather(*waiting, asyncio.create_task(turn("transactional")))
    assert order.index("transactional") <= 1


async def test_who_would_wait_too_long_is_told_when_to_come_back() -> None:
    rate = Rate(1)
    await rate.turn("journey")
    with pytest.raises(Held, match="rate") as caught:
        await rate.turn("journey", timedelta(milliseconds=100))
    assert caught.value.after is not None
    assert timedelta(milliseconds=500) < caught.value.after <= timedelta(seconds=1)


async def test_a_full_domain_blocks_no_other_and_holds_no_connection() -> None:
    async with sink() as server:
        route = Route(name="one", endpoint=Endpoint(host="127.0.0.1", port=server.port), connections=1)
        carrier = Relays([route], rates=Rates(None, {"slow.example": 2, "a.example b.example": 1000, "*": 500}))
        full = [asyncio.create_task(carrier.send(a_mail("a@slow.example", n), within=LONG)) for n in range(4)]
        began = time.perf_counter()
        others = [carrier.send(a_mail(f"x@other{n % 5}.example", n), within=LONG) for n in range(50)]
        await asyncio.gather(*others)
        assert time.perf_counter() - began < 0.8
        assert sum(task.done() for task in full) == 2, "its burst went, the rest waits"
        await asyncio.gather(*full)
        assert 0.9 < time.perf_counter() - began < 3
        assert server.counts.mails == 54
        await carrier.close()


async def test_domains_that_share_a_rate_share_it_whatever_their_case() -> None:
    rates = Rates(None, {"Outlook.example hotmail.example": 1})
    await rates.turn("a@outlook.EXAMPLE", "journey")
    began = time.perf_counter()
    await rates.turn("a@hotmail.example", "journey")
    assert time.perf_counter() - began > 0.8
    await rates.turn("a@unlimited.example", "journey")


async def test_what_waits_for_the_overall_rate_is_not_held_up_by_a_full_domain() -> None:
    """Who waits for a domain has not yet used up what others could."""
    rates = Rates(50, {"slow.example": 1})
    waiting = [asyncio.create_task(rates.turn("a@slow.example", "journey")) for _ in range(4)]
    await asyncio.sleep(0)
    began = time.perf_counter()
    await asyncio.gather(*(rates.turn("a@other.example", "journey") for _ in range(49)))
    assert time.perf_counter() - began < 0.5
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_those_who_are_sent_away_come_back_one_after_the_other() -> None:
    """All at once, most of them would come in vain."""
    rate = Rate(10)
    await asyncio.gather(*(rate.turn("broadcast") for _ in range(10)))
    moments: list[timedelta] = []
    for _ in range(20):
        with pytest.raises(Held) as caught:
            await rate.turn("broadcast", timedelta(0))
        moments.append(caught.value.after or timedelta(0))
    assert timedelta(seconds=1.7) < moments[-1] - moments[0] < timedelta(seconds=2)
