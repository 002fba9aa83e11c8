from __future__ import annotations

import email
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.policy import default as modern

import pytest

from tabiji.channels.email.compose import Mail, Mailbox, ascii_address, compose
from tabiji.channels.email.render import Rendered
from tabiji.errors import ConfigurationError

SUBJECT = "資料のダウンロードありがとうございます。次の一歩として二十分のデモをご覧になりませんか?" * 2
WAY_OUT = "https://mail.example.com/u/" + "a1B2-_." * 60


def made(
    subject: str = SUBJECT,
    text: str = "こんにちは\n",
    name: str = "旅路マーケティング株式会社の編集部",
    way_out: str | None = WAY_OUT,
) -> Mail:
    return compose(
        Rendered(subject=subject, html=f"<p>{text}</p>", text=text),
        public_id="0123456789abcdef0123456789abcdef",
        sender=Mailbox.parse(f"{name} <hello@news.example.co.jp>", "TABIJI_MAIL_FROM"),
        recipient="hanako@example.jp",
        date=datetime(2026, 3, 1, 12, tzinfo=UTC),
        unsubscribe_url=way_out,
    )


def test_japanese_reads_right_in_the_modern_parser() -> None:
    message = BytesParser(policy=modern).parsebytes(made(name="旅路 編集部").content)
    assert message["Subject"] == SUBJECT
    assert message["From"].addresses[0].display_name == "旅路 編集部"
    assert message["From"].addresses[0].addr_spec == "hello@news.example.co.jp"
    assert message["To"] == "hanako@example.jp"
    parts = {part.get_content_type(): part.get_content().split() for part in message.walk() if not part.is_multipart()}
    assert parts == {"text/plain": ["こんにちは"], "text/html": ["<p>こんにちは", "</p>"]}


def test_japanese_reads_right_in_the_parser_of_old() -> None:
    """It shares no code with the writer, and unlike the modern one it joins the words of a long name rightly."""
    message = email.message_from_bytes(made().content)
    assert str(make_header(decode_header(message["Subject"]))) == SUBJECT
    assert "旅路マーケティング株式会社の編集部" in str(make_header(decode_header(message["From"])))
    text = message.get_payload()[0]  # type: ignore[index] # a multipart's payload is a list
    assert text.get_payload(decode=True).decode("utf-8").strip() == "こんにちは"  # type: ignore[union-attr] # a message


def test_encoded_words_stay_within_75_characters_and_lines_within_76() -> None:
    """RFC 2047 section 2; links are the exception."""
    head = made().content.split(b"\r\n\r\n")[0].decode("ascii")
    assert all(len(word) <= 75 for word in re.findall(r"=\?utf-8\?[^?]+\?[^?]*\?=", head))
    assert "=?utf-8?" in head
    assert all(len(line) <= 76 for line in head.split("\r\n") if not line.startswith("List-"))


def test_the_unsubscribe_link_is_one_line_however_long() -> None:
    head = made().content.split(b"\r\n\r\n")[0].decode("ascii")
    assert f"\r\nList-Unsubscribe: <{WAY_OUT}>\r\n" in head + "\r\n"
    assert "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in head + "\r\n"


def test_a_mail_without_a_way_out_has_no_such_headers() -> None:
    assert b"List-Unsubscribe" not in made(way_out=None).content


def test_the_message_id_is_the_same_in_every_attempt() -> None:
    first, second = made(), made()
    assert first.message_id == second.message_id == "<0123456789abcdef0123456789abcdef@news.example.co.jp>"
    assert f"\r\nMessage-ID: {first.message_id}\r\n".encode() in first.content


def test_everything_travels_in_seven_bits() -> None:
    content = made(text="長い行" * 2000).content
    assert max(content) < 128
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")


@pytest.mark.parametrize("evil", ["x\r\nBcc: a@b.example", "x\nBcc: a@b.example", "x\r\n\r\n<script>"])
def test_a_header_cannot_be_smuggled_in(evil: str) -> None:
    with pytest.raises(ValueError, match=r"linefeed|carriage"):
        made(subject=evil)
    with pytest.raises(ConfigurationError):
        made(name=evil)


def test_a_comma_in_the_senders_name_makes_no_second_sender() -> None:
    message = BytesParser(policy=modern).parsebytes(made(name='"Example, Inc."').content)
    assert [address.display_name for address in message["From"].addresses] == ["Example, Inc."]


@pytest.mark.parametrize("written", ["", "tabiji", "a@b@c", "x <not an address>", "旅@例え.jp"])
def test_a_sender_that_is_no_address_is_refused_with_the_settings_name(written: str) -> None:
    with pytest.raises(ConfigurationError, match="TABIJI_MAIL_FROM"):
        Mailbox.parse(written, "TABIJI_MAIL_FROM")


def test_an_international_domain_becomes_punycode() -> None:
    assert ascii_address("info@例え.jp") == "info@xn--r8jz45g.jp"
    assert ascii_address("花子@example.jp") is None
    assert ascii_address("a b@example.jp") is None
