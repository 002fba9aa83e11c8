"""What one caller may send, without a server and without waiting."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import limits as under_test
from api.errors import ApiProblem
from api.limits import Buckets, Limits
from models.key import Scope
from models.keys import Key


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def key(scope: Scope, name: str = "web") -> Key:
    return Key(name, scope, datetime.now(UTC))


def request(client: str, *forwarded: str) -> dict[str, Any]:
    return {"client": (client, 1), "headers": [(b"x-forwarded-for", one.encode()) for one in forwarded]}


def test_a_bucket_lets_two_seconds_worth_through_at_once_and_then_its_rate() -> None:
    watch = Watch()
    buckets = Buckets(10, clock=watch)

    assert sum(buckets.take("a") is None for _ in range(100)) == 20
    assert buckets.take("a") == pytest.approx(0.1)
    assert buckets.take("b") is None
    watch.now += 1
    assert sum(buckets.take("a") is None for _ in range(100)) == 10


def test_a_batch_larger_than_the_bucket_is_taken_once_and_paid_off_afterwards() -> None:
    watch = Watch()
    buckets = Buckets(10, clock=watch)

    assert buckets.take("a", 1000) is None
    wait = buckets.take("a")

    assert wait == pytest.approx(98.1)
    watch.now += 98.2
    assert buckets.take("a") is None


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), max_size=60))
def test_over_any_time_no_more_comes_through_than_the_rate_and_what_may_come_at_once(
    sent: list[tuple[float, int]],
) -> None:
    watch, passed, largest = Watch(), 0, 0
    buckets = Buckets(10, clock=watch)
    for pause, n in sent:
        watch.now += pause
        if buckets.take("a", n) is None:
            passed, largest = passed + n, max(largest, n)

    assert passed <= 20 + 10 * (watch.now - 100) + largest


def test_a_million_addresses_take_no_more_memory_than_the_buckets_kept() -> None:
    buckets = Buckets(10, most=100)
    for place in range(20_000):
        buckets.take(str(place))

    assert len(buckets) == 100


async def test_a_browser_key_is_counted_by_address_and_a_server_key_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "HELD", 0)
    limits = Limits(key_rate=1000, address_rate=1)
    for _ in range(50):
        await limits.admit(key("write"), 1, "192.0.2.1")
    await limits.admit(key("browser"), 2, "192.0.2.1")

    with pytest.raises(ApiProblem) as refused:
        await limits.admit(key("browser"), 1, "192.0.2.1")

    assert (refused.value.status_code, refused.value.code) == (429, "too_many")
    assert refused.value.headers == {"Retry-After": "1"}
    await limits.admit(key("browser"), 1, "192.0.2.2")


@pytest.mark.parametrize(
    ("proxies", "client", "forwarded", "address"),
    [
        ([], "192.0.2.1", ["198.51.100.9"], "192.0.2.1"),
        (["10.0.0.0/8"], "192.0.2.1", ["198.51.100.9"], "192.0.2.1"),
        (["10.0.0.0/8"], "10.0.0.1", ["198.51.100.9"], "198.51.100.9"),
        (["10.0.0.0/8"], "10.0.0.1", ["203.0.113.5, 198.51.100.9"], "198.51.100.9"),
        (["10.0.0.0/8"], "10.0.0.1", ["203.0.113.5", "198.51.100.9, 10.0.0.7"], "198.51.100.9"),
        (["10.0.0.0/8"], "10.0.0.1", ["198.51.100.9:4711"], "198.51.100.9"),
        (["10.0.0.0/8"], "10.0.0.1", ["nonsense"], "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", [], "10.0.0.1"),
        (["::1"], "::1", ["[2001:db8:1:2:3::4]:80"], "2001:db8:1:2::"),
        ([], "2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::"),
        ([], "::ffff:192.0.2.1", [], "192.0.2.1"),
    ],
)
def test_the_clients_address_is_as_far_as_our_own_proxies_wrote_it(
    proxies: list[str], client: str, forwarded: list[str], address: str
) -> None:
    assert Limits(proxies=proxies).address(request(client, *forwarded)) == address
