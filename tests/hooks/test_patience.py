"""How patient we are with receivers, and what their secrets are made of."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from tabiji.domain.webhooks import GRACE, PAUSES, fields_sent, next_pause, secrets_in_force, signing_secret

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@given(
    tries=st.integers(1, 30), chance=st.floats(0, 1), asked=st.none() | st.timedeltas(timedelta(0), timedelta(hours=1))
)
def test_pauses_grow_until_there_are_no_more_and_are_never_shorter_than_what_is_asked_for(
    tries: int, chance: float, asked: timedelta | None
) -> None:
    pause = next_pause(tries, asked=asked, chance=chance)
    assert (pause is None) == (tries > len(PAUSES))
    if pause is not None:
        assert pause >= (asked or timedelta(0))
        assert abs(next_pause(tries, chance=chance) - PAUSES[tries - 1]) <= PAUSES[tries - 1] * 0.1001  # type: ignore[operator] # there is one


def test_a_message_is_tried_for_three_days() -> None:
    assert timedelta(days=3) <= sum(PAUSES, timedelta(0)) <= timedelta(days=4)
    assert list(PAUSES) == sorted(PAUSES)


@given(generation=st.integers(1, 50), other=st.integers(1, 50), root=st.text(min_size=1), root_2=st.text(min_size=1))
def test_every_subscription_and_generation_has_a_secret_of_its_own(
    generation: int, other: int, root: str, root_2: str
) -> None:
    one, two = uuid4(), uuid4()
    secret = signing_secret(root, one, generation)
    assert secret.startswith("whsec_")
    assert len(b64decode(secret.removeprefix("whsec_"))) == 32
    assert secret != signing_secret(root, two, generation)
    assert (secret == signing_secret(root, one, other)) == (generation == other)
    assert (secret == signing_secret(root_2, one, generation)) == (root == root_2)


def test_the_secret_before_is_in_force_for_a_day() -> None:
    id = uuid4()
    assert secrets_in_force("root", id, 1, None, now=NOW) == [signing_secret("root", id, 1)]
    assert secrets_in_force("root", id, 2, NOW, now=NOW + GRACE / 2) == [
        signing_secret("root", id, 2),
        signing_secret("root", id, 1),
    ]
    assert secrets_in_force("root", id, 2, NOW, now=NOW + GRACE) == [signing_secret("root", id, 2)]


def test_the_register_says_what_is_sent() -> None:
    assert fields_sent(include_email=False, only=None) == [
        "event", "timestamp", "properties.*", "contact.id", "contact.user_ids",
    ]  # fmt: skip
    assert fields_sent(include_email=True, only=["total"])[2:] == [
        "properties.total", "contact.id", "contact.user_ids", "contact.email",
    ]  # fmt: skip
