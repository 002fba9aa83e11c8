"""The rule itself, without a database: what is claimed, and who that makes people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tabiji.domain.identities import Claim, Key, Known, claims_of, heard, people, says_more
from tests.identity.world import CALLS, NOON, Said


def _claims(*calls: Said) -> list[Claim]:
    return [
        claim
        for one in calls
        for claim in claims_of(
            user=one.user,
            email=one.address,
            anonymous=one.device,
            previous=one.alias_of,
            at=NOON + timedelta(minutes=one.minute),
        )
    ]


def _known(claims: list[Claim]) -> dict[Key, Known]:
    known: dict[Key, Known] = {key: Known() for claim in claims for key in (claim.of, claim.by)}
    return known | heard(known, claims)


@given(st.lists(CALLS, max_size=12), st.randoms(use_true_random=False))
def test_what_is_remembered_does_not_depend_on_the_order(calls: list[Said], dice: Any) -> None:
    claims = _claims(*calls)
    shuffled = dice.sample(claims, len(claims))
    assert _known(shuffled) == _known(claims)
    assert people(_known(shuffled)) == people(_known(claims))
    assert not any(says_more(_known(claims)[claim.of], claim) for claim in claims), "said again it is no news"


@given(st.lists(CALLS, max_size=12))
def test_two_users_are_one_by_an_alias_alone(calls: list[Said]) -> None:
    """Whatever devices and addresses they share."""
    person = people(_known(_claims(*(one for one in calls if one.alias_of is None))))
    users = [key for key in person if key[0] == "user"]
    assert len({person[key] for key in users}) == len(users)


@given(st.lists(CALLS, max_size=12))
def test_everybody_who_is_connected_is_named_by_one_of_their_own(calls: list[Said]) -> None:
    person = people(_known(_claims(*calls)))
    assert all(person[whose] == whose for whose in person.values())


def test_a_kiosk_is_remembered_in_one_row_and_is_the_first_ones() -> None:
    claims = [Claim(("anonymous", "kiosk"), ("user", f"u{n:05}"), NOON + timedelta(seconds=n)) for n in range(10_000)]
    known = _known(claims[::-1])
    assert known["anonymous", "kiosk"].user == (False, NOON, "u00000")
    assert people(known)["anonymous", "kiosk"] == ("user", "u00000")
