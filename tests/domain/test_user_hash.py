from __future__ import annotations

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from tabiji.domain.user_hash import is_users_hash, user_hash, user_secret

SECRET = "s" * 32


def test_it_is_what_any_language_makes_of_secret_and_user_id() -> None:
    secret = user_secret(SECRET, "web shop")

    assert user_hash(secret, "u-1001") == hmac.new(secret.encode(), b"u-1001", hashlib.sha256).hexdigest()


def test_each_key_has_its_own_secret_and_none_is_the_installations() -> None:
    assert len({user_secret(SECRET, "a"), user_secret(SECRET, "b"), user_secret("t" * 32, "a"), SECRET}) == 4


@given(st.text(), st.text(), st.text())
def test_a_hash_is_good_for_its_user_alone(one: str, other: str, nonsense: str) -> None:
    secret = user_secret(SECRET, "page")

    assert is_users_hash(secret, one, user_hash(secret, one))
    assert is_users_hash(secret, one, user_hash(secret, other)) == (one == other)
    assert not is_users_hash(secret, one, nonsense)
