"""Signatures, checked by an independent verifier."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import dkim  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] # has none
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabiji.channels.email.compose import Mailbox, compose
from tabiji.channels.email.dkim import Algorithm, Signer, make_key, record_of, zone_line
from tabiji.channels.email.render import Rendered
from tabiji.errors import ConfigurationError

KEYS = {"r2026": make_key("rsa"), "e2026": make_key("ed25519")}
SIGNER = Signer.of("example.com", KEYS.items())


def mail(
    subject: str = "ようこそ、旅路へ — 長い件名がここに続き、折り返されることになります", text: str = "こんにちは\n"
) -> bytes:
    return compose(
        Rendered(subject=subject, preheader="", html=f"<p>{text}</p>", text=text),
        public_id="m1",
        sender=Mailbox("旅路", "hello@example.com"),
        recipient="hanako@example.jp",
        date=datetime(2026, 11, 22, tzinfo=UTC),
        unsubscribe_url="https://mail.example.com/u/" + "x" * 200,
    ).content


def verified(content: bytes, records: dict[str, str] | None = None) -> list[bool]:
    """What the verifier says of each signature."""
    known = records or {f"{selector}._domainkey.example.com.": record_of(pem) for selector, pem in KEYS.items()}

    def dnsfunc(name: bytes | str, **_: object) -> bytes:
        asked = name.decode() if isinstance(name, bytes) else name
        return known[asked].encode()

    verifier = dkim.DKIM(content)
    count = len(re.findall(rb"(?mi)^dkim-signature:", content))
    found: list[bool] = []
    for index in range(count):
        try:
            good = verifier.verify(idx=index, dnsfunc=dnsfunc)  # pyright: ignore[reportUnknownMemberType] # untyped
            found.append(bool(good))
        except dkim.DKIMException:
            found.append(False)
    return found


def test_both_signatures_of_a_mail_in_japanese_are_good() -> None:
    signed = SIGNER.sign(mail())
    assert verified(signed) == [True, True]
    assert signed.endswith(mail()), "nothing but the signatures is added"
    assert all(len(line) <= 998 for line in signed.split(b"\r\n"))


def test_what_a_reader_goes_by_is_signed_and_nothing_of_it_can_be_added() -> None:
    signed = SIGNER.sign(mail())
    found = re.search(rb"h=([^;]+);", signed)
    assert found is not None
    names = [name.strip().decode() for name in found[1].split(b":")]
    assert names.count("from") == 2
    for header in ("to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post"):
        assert names.count(header) == 2, header
    assert names.count("reply-to") == 1, "not there, and signed as not there"
    for added in (b"From: boss@example.com", b"Subject: other", b"Reply-To: thief@example.net"):
        assert verified(added + b"\r\n" + signed) == [False, False], added


@pytest.mark.parametrize(
    ("what", "becomes"),
    [
        (b"hello@example.com", b"hallo@example.com"),
        (b"hanako@example.jp", b"hanaka@example.jp"),
        (b"mail.example.com/u/", b"evil.example.com/u/"),
        (b"One-Click", b"Two-Click"),
        (b"Sun, 22 Nov", b"Mon, 23 Nov"),
        (b"<m1@", b"<m2@"),
    ],
)
def test_a_mail_that_was_tampered_with_is_found_out(what: bytes, becomes: bytes) -> None:
    signed = SIGNER.sign(mail())
    assert what in signed
    assert verified(signed.replace(what, becomes)) == [False, False]


def test_another_body_is_found_out_and_blanks_at_the_end_are_not_minded() -> None:
    signed = SIGNER.sign(mail(text="Your code is 1234\n"))
    assert verified(signed.replace(b"1234", b"9234")) == [False, False]
    assert verified(signed + b"\r\n\r\n") == [True, True], "relays add empty lines"
    assert verified(signed.replace(b"Your code", b"Your  code")) == [True, True], "and cut blanks"


@pytest.mark.parametrize(
    "content",
    [
        b"From: a@example.com\r\nSubject: no body\r\n\r\n",
        b"From: a@example.com\r\nSubject: no body at all\r\n",
        b"From: a@example.com\r\nSubject: only empty lines\r\n\r\n\r\n\r\n",
        b"From: a@example.com\r\nSubject: long\r\n\r\n" + b"x" * 990 + b" \t \r\n\t\r\n" + b"y" * 990,
        b"From: a@example.com\r\nSubject:folded\r\n\tand  again\r\n  and on \r\n\r\n .dot \r\n..\r\n",
        b"From: a@example.com\r\nTo: b@example.com\r\nTo: c@example.com\r\n\r\ntwo of one name\r\n",
    ],
)
def test_awkward_messages_are_signed_right(content: bytes) -> None:
    assert verified(SIGNER.sign(content)) == [True, True]


@given(body=st.lists(st.text(st.sampled_from(" \tab.\ré"), max_size=12), max_size=8))
@settings(max_examples=30, deadline=None)
def test_any_body_is_signed_right(body: list[str]) -> None:
    content = b"From: a@example.com\r\nSubject: x\r\n\r\n" + "\r\n".join([*body, ""]).encode()
    assert verified(Signer.of("example.com", [("e2026", KEYS["e2026"])]).sign(content)) == [True]


def test_another_key_in_the_dns_does_not_match() -> None:
    other = record_of(make_key("ed25519"))
    signed = Signer.of("example.com", [("e2026", KEYS["e2026"])]).sign(mail())
    assert verified(signed, {"e2026._domainkey.example.com.": other}) == [False]


@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
def test_a_record_fits_into_a_zone_file(algorithm: Algorithm) -> None:
    record = record_of(make_key(algorithm))
    line = zone_line("s1", "example.com", record)
    texts = re.findall(r'"([^"]*)"', line)
    assert line.startswith("s1._domainkey.example.com. 3600 IN TXT (")
    assert "".join(texts) == record
    assert max(map(len, texts)) <= 255


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_that_is_no_key_is_named_with_what_to_do(pem: bytes) -> None:
    with pytest.raises(ConfigurationError, match="tabiji mail key"):
        Signer.of("example.com", [("s1", pem)])
