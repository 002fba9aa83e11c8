"""What we write is read right by parsers that share nothing with the writer, and by a real SMTP server."""

from __future__ import annotations

import email
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import default as modern
from typing import cast

import pytest
from fast_mail_parser import parse_email
from hypothesis import given
from hypothesis import strategies as st

from tabiji.channels.email.compose import Mail, Mailbox, compose
from tabiji.channels.email.finishing import Rendered
from tabiji.channels.email.smtp.relays import SmtpRelay
from tests.mail.relays import relay

SENDER = Mailbox("旅路マーケティング株式会社の編集部", "hello@news.example.co.jp")
SUBJECT = "山田　花子さまへ:資料のダウンロード、ありがとうございます🎉"
TEXT = "山田さま\n\nこんにちは。資料は次のページからご覧いただけます。\n.\nFrom 旅路\n"

LINES = st.text(alphabet=st.characters(exclude_categories=("C", "Z")) | st.just(" "), max_size=120).map(
    lambda text: " ".join(text.split())
)
TEXTS = st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t =.-"), max_size=400)


def written(
    subject: str = SUBJECT,
    text: str = TEXT,
    html: str = "<p>こんにちは</p>",
    envelope_sender: str | None = None,
    reply_to: str | None = None,
) -> Mail:
    return compose(
        Rendered(subject=subject, html=html, text=text),
        public_id="0123456789abcdef0123456789abcdef",
        sender=SENDER,
        recipient="hanako@example.jp",
        date=datetime(2026, 3, 1, 12, tzinfo=UTC),
        unsubscribe_url="https://mail.example.com/u/" + "a1B2-_." * 60,
        envelope_sender=envelope_sender,
        reply_to=reply_to,
    )


def old_parts(mail: Mail) -> list[Message]:
    return cast("list[Message]", email.message_from_bytes(mail.content).get_payload())


def test_a_parser_in_another_language_reads_japanese_right() -> None:
    read = parse_email(written().content.decode("ascii"))
    assert read.subject == SUBJECT
    assert [part.replace("\r\n", "\n") for part in read.text_plain] == [TEXT]
    assert [part.strip() for part in read.text_html] == ["<p>こんにちは</p>"]
    assert read.headers["From"] == ["旅路マーケティング株式会社の編集部 <hello@news.example.co.jp>"]
    assert read.headers["List-Unsubscribe"] == [f"<https://mail.example.com/u/{'a1B2-_.' * 60}>"]


async def test_a_real_server_receives_japanese_right() -> None:
    async with relay() as server:
        carrier = SmtpRelay("127.0.0.1", server.port)
        await carrier.send(written(envelope_sender="b+x@returns.example.com"), within=timedelta(seconds=10))
        await carrier.close()
    (mail,) = server.mails
    assert mail["Subject"] == SUBJECT
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == TEXT
    assert parse_email(server.received[0].decode("ascii")).subject == SUBJECT


@given(subject=LINES.filter(bool))
def test_any_subject_comes_through_three_parsers(subject: str) -> None:
    content = written(subject).content
    head = content.split(b"\r\n\r\n")[0].decode("ascii")
    assert all(len(line) <= 76 for line in head.split("\r\n") if not line.startswith("List-"))
    assert str(make_header(decode_header(email.message_from_bytes(content)["Subject"]))) == subject
    assert BytesParser(policy=modern).parsebytes(content)["Subject"] == subject
    assert parse_email(content.decode("ascii")).subject.strip() == subject


@given(text=TEXTS, html=TEXTS)
def test_any_text_comes_through(text: str, html: str) -> None:
    mail = written(text=text, html=html)
    assert max(mail.content) < 128
    assert max(len(line) for line in mail.content.split(b"\r\n")) <= 998
    assert not {10, 13} & set(mail.content.replace(b"\r\n", b""))
    for part, said in zip(old_parts(mail), (text, html), strict=True):
        read = cast("bytes", part.get_payload(decode=True)).decode("utf-8").replace("\r\n", "\n")
        assert read.removesuffix("\n") == said.removesuffix("\n")


def test_the_line_between_the_parts_may_stand_in_the_text() -> None:
    line = "--=_0123456789abcdef0123456789abcdef"
    for text in (f"a\n{line}\nb\n", f"ä\n{line}--\nb\n"):
        plain, html = old_parts(written(text=text))
        assert cast("bytes", plain.get_payload(decode=True)).decode().replace("\r\n", "\n") == text
        assert b"<p>" in cast("bytes", html.get_payload(decode=True))


def test_a_mail_returns_and_is_answered_where_it_says() -> None:
    mail = written(envelope_sender="b+x@returns.example.com", reply_to="r+x@returns.example.com")
    assert mail.sender == "b+x@returns.example.com"
    head = email.message_from_bytes(mail.content)
    assert head["Reply-To"] == "r+x@returns.example.com"
    assert "hello@news.example.co.jp" in head["From"]
    assert "Reply-To" not in email.message_from_bytes(written().content)
    assert written().sender == "hello@news.example.co.jp"


def smuggle(name: str, value: str) -> Mail:
    return written(subject=value) if name == "subject" else written(reply_to=value)


@pytest.mark.parametrize("name", ["reply_to", "subject"])
def test_no_header_can_be_smuggled_in(name: str) -> None:
    with pytest.raises(ValueError, match="linefeed"):
        smuggle(name, "a@b.example\r\nBcc: c@d.example")


def test_half_a_character_does_not_stop_a_mail() -> None:
    assert b"Subject: " in written(subject="\ud83d hello", text="\udc00").content
