"""Several relays: shares, stand-ins, and who is left alone."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tabiji.channels.carrier import PermanentFailure, TemporaryFailure, Unclear
from tabiji.channels.email.smtp import Endpoint, Relays, Route
from tabiji.channels.email.smtp import relay as module
from tests.journeys.stage import until
from tests.mail.relays import DROP, Relay, relay
from tests.mail.sinks import a_mail

LONG = timedelta(seconds=20)


@pytest.fixture
async def first() -> AsyncGenerator[Relay]:
    async with relay() as running:
        yield running


@pytest.fixture
async def second() -> AsyncGenerator[Relay]:
    async with relay() as running:
        yield running


@pytest.fixture(autouse=True)
def _short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_REST", timedelta(milliseconds=150))


def route(name: str, port: int, *, order: int = 1, weight: float = 1.0) -> Route:
    return Route(name=name, endpoint=Endpoint(host="127.0.0.1", port=port), order=order, weight=weight)


def nobody() -> int:
    """A port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def test_shares_are_by_weight_and_even(first: Relay, second: Relay) -> None:
    carrier = Relays([route("big", first.port, weight=3), route("small", second.port)])
    taken = [(await carrier.send(a_mail(), within=LONG)).relay for _ in range(12)]
    assert taken.count("small") == 3
    assert "small" in taken[:4]
    assert "small" in taken[4:8]
    await carrier.close()


async def test_one_that_stands_by_is_used_while_the_first_is_down(first: Relay, second: Relay) -> None:
    carrier = Relays([route("main", first.port), route("spare", second.port, order=2)])
    assert (await carrier.send(a_mail(), within=LONG)).relay == "main"
    first.answers["mail"].extend(["421 4.3.2 going down"] * 4)
    first.hang_up()
    assert [(await carrier.send(a_mail(), within=LONG)).relay for _ in range(3)] == ["spare"] * 3
    assert len(second.received) == 3
    assert len(first.received) == 1
    await carrier.close()


async def test_a_relay_that_is_not_there_costs_no_mail_and_is_left_alone(second: Relay) -> None:
    gone = route("gone", nobody())
    carrier = Relays([gone, route("spare", second.port, order=2)])
    for _ in range(5):
        assert (await carrier.send(a_mail(), within=LONG)).relay == "spare"
    health = carrier.states()["gone"]
    assert health.rests is not None
    await carrier.close()


async def test_it_is_asked_again_after_its_rest(first: Relay, second: Relay) -> None:
    first.answers["mail"].extend(["421 4.3.2 going down"] * 2)
    carrier = Relays([route("main", first.port), route("spare", second.port, order=2)])
    assert [(await carrier.send(a_mail(), within=LONG)).relay for _ in range(2)] == ["spare"] * 2
    await until(lambda: carrier.states()["main"].rests is None, "its rest is over")
    assert (await carrier.send(a_mail(), within=LONG)).relay == "main"
    assert first.commands.count("mail") == 3, "two refusals, then the one that was taken"
    await carrier.close()


@pytest.mark.parametrize(
    ("stage", "answer", "failure"),
    [
        ("rcpt", "550 5.1.1 unknown", PermanentFailure),
        ("rcpt", "451 4.7.1 greylisted", TemporaryFailure),
        ("data", "554 5.7.1 spam", PermanentFailure),
        ("data", DROP, Unclear),
        ("data", "451 4.3.0 queue trouble", TemporaryFailure),
    ],
)
async def test_what_is_about_the_message_or_was_promised_goes_to_no_other_relay(
    first: Relay, second: Relay, stage: str, answer: str, failure: type[Exception]
) -> None:
    carrier = Relays([route("main", first.port), route("spare", second.port, order=2)])
    first.answers[stage].append(answer)
    with pytest.raises(failure):
        await carrier.send(a_mail(), within=LONG)
    assert second.commands == []
    await carrier.close()


async def test_when_all_are_left_alone_nobody_is_asked_and_it_is_said_when_to_come_back() -> None:
    carrier = Relays([route("one", nobody()), route("other", nobody())])
    for _ in range(2):
        with pytest.raises(TemporaryFailure, match="no connection"):
            await carrier.send(a_mail(), within=LONG)
    with pytest.raises(TemporaryFailure, match="all relays are left alone") as caught:
        await carrier.send(a_mail(), within=LONG)
    assert caught.value.after is not None
    assert caught.value.after <= timedelta(milliseconds=150)


def rest_of(health: module.Health) -> timedelta:
    return health.rests or timedelta(0)


def may_be_asked(health: module.Health) -> bool:
    return health.may_be_asked


async def test_rests_grow_and_one_answer_ends_them() -> None:
    health = module.Health()
    health.failed()
    assert not rest_of(health), "once is not often"
    rests: list[timedelta] = []
    for _ in range(3):
        health.failed()
        rests.append(rest_of(health))
        health.failed()  # of another message at the same moment: counts once
        await until(lambda: not rest_of(health), "the rest is over")
    assert rests[0] < rests[1] < rests[2]
    assert rests[2] > timedelta(milliseconds=500)
    assert may_be_asked(health)
    health.ask()
    assert not may_be_asked(health), "one tries, the others wait for what becomes of it"
    health.well()
    assert may_be_asked(health)
    assert not rest_of(health)


async def test_a_wrong_password_is_told_loudly_and_the_other_relay_takes_the_mail(second: Relay) -> None:
    async with relay(login=True) as strict:
        endpoint = Endpoint(host="127.0.0.1", port=strict.port, username="me", password="wrong")
        carrier = Relays([Route(name="strict", endpoint=endpoint), route("spare", second.port, order=2)])
        with capture_logs() as logs:
            assert (await carrier.send(a_mail(), within=LONG)).relay == "spare"
        alarms = [log for log in logs if log["log_level"] == "error"]
        assert [(log["event"], log["relay"]) for log in alarms] == [("relay.refuses_us", "strict")]
        await carrier.close()


async def test_a_connection_is_left_after_so_many_messages(first: Relay) -> None:
    endpoint = Endpoint(host="127.0.0.1", port=first.port)
    carrier = Relays([Route(name="main", endpoint=endpoint, messages=2)])
    for number in range(5):
        await carrier.send(a_mail(number=number), within=LONG)
    assert len(first.connections) == 3
    assert len(first.received) == 5
    await carrier.close()


async def test_a_connection_nobody_needs_is_closed(first: Relay) -> None:
    endpoint = Endpoint(host="127.0.0.1", port=first.port)
    carrier = Relays([Route(name="main", endpoint=endpoint, idle=timedelta(milliseconds=30))])
    await carrier.send(a_mail(), within=LONG)
    await until(lambda: first.connections[0].transport is None, "the connection is closed")
    await carrier.send(a_mail(), within=LONG)
    assert len(first.connections) == 2
    await carrier.close()
