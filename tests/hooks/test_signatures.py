"""Who sends a request is proved over its raw body, by schemes that others have defined."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from tabiji.hooks import Hmac, Signature, StandardWebhooks

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "whsec_" + "c2VjcmV0IHNlY3JldCBzZWNyZXQ="
SHOP = Hmac("X-Shopify-Hmac-Sha256", encoding="base64")


def test_a_shops_scheme_by_a_vector_computed_elsewhere() -> None:
    """By `openssl dgst -sha256 -hmac hush-hush-hush-hush -binary | base64`."""
    body = b'{"id":820982911946154508,"email":"jon@example.com"}'
    headers = {"x-shopify-hmac-sha256": "l2LwflE8oesOqsiD4Ba5n5r1JvXiAdSlhGh4Wuw03eE="}
    assert SHOP.proves(headers, body, secret="hush-hush-hush-hush", now=NOW)
    assert not SHOP.proves(headers, body + b" ", secret="hush-hush-hush-hush", now=NOW)
    assert not SHOP.proves(headers, body, secret="another secret of theirs", now=NOW)


def test_a_hash_in_hex_may_have_a_prefix() -> None:
    """The vector is of RFC 4231, test case 2."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    plain, prefixed = Hmac("X-Signature"), Hmac("X-Hub-Signature-256", prefix="sha256=")
    body = b"what do ya want for nothing?"
    assert plain.proves({"x-signature": expected.upper()}, body, secret="Jefe", now=NOW)
    assert prefixed.proves({"x-hub-signature-256": f"sha256={expected}"}, body, secret="Jefe", now=NOW)
    assert not prefixed.proves({"x-hub-signature-256": expected}, body, secret="Jefe", now=NOW)


@given(body=st.binary(max_size=200).filter(lambda raw: raw.decode("utf-8", "ignore").encode() == raw))
def test_what_the_standards_own_library_signs_is_proved_and_nothing_else(body: bytes) -> None:
    scheme = StandardWebhooks()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": "v1,bm90IHRoaXMgb25l " + Webhook(SECRET).sign("msg_1", NOW, body.decode()),
    }
    assert scheme.proves(headers, body, secret=SECRET, now=NOW + timedelta(minutes=4))
    assert not scheme.proves(headers, body, secret=SECRET, now=NOW + timedelta(minutes=6))
    assert not scheme.proves(headers, body, secret=SECRET, now=NOW - timedelta(minutes=6))
    assert not scheme.proves(headers, body + b"x", secret=SECRET, now=NOW)
    assert not scheme.proves(headers | {"webhook-id": "msg_2"}, body, secret=SECRET, now=NOW)


@given(
    headers=st.dictionaries(
        st.sampled_from(["x-s", "x-t", "webhook-id", "webhook-timestamp", "webhook-signature"]), st.text(max_size=30)
    ),
    scheme=st.sampled_from([Hmac("X-S"), Hmac("X-S", encoding="base64", timestamp="X-T"), StandardWebhooks()]),
)
def test_whatever_is_in_the_headers_nothing_breaks_and_nothing_is_proved(
    headers: dict[str, str], scheme: Signature
) -> None:
    assert not scheme.proves(headers, b"{}", secret=SECRET, now=NOW)
    assert not scheme.proves(headers, b"{}", secret="whsec_!", now=NOW)


@pytest.mark.parametrize("told", ["", "soon", "-1", "٣", "1" * 40])
def test_a_time_that_is_none_proves_nothing(told: str) -> None:
    scheme = Hmac("X-S", timestamp="X-T")
    assert not scheme.proves({"x-s": "0" * 64, "x-t": told}, b"{}", secret="s" * 16, now=NOW)


def test_a_time_that_is_signed_along_runs_out() -> None:
    import hashlib
    import hmac

    scheme, told = Hmac("X-S", timestamp="X-T"), str(int(NOW.timestamp()))
    signature = hmac.new(b"s" * 16, f"{told}.{{}}".encode(), hashlib.sha256).hexdigest()
    headers = {"x-s": signature, "x-t": told}
    assert scheme.proves(headers, b"{}", secret="s" * 16, now=NOW)
    assert not scheme.proves(headers, b"{}", secret="s" * 16, now=NOW + timedelta(minutes=6))
    later = headers | {"x-t": str(int(NOW.timestamp()) + 300)}
    assert not scheme.proves(later, b"{}", secret="s" * 16, now=NOW + timedelta(minutes=6))
