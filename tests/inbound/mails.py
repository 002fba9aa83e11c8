"""Mails as they come in."""

from __future__ import annotations

from email.message import EmailMessage


def answer(text: str, *, id: str = "1", subject: str = "Re: An invitation", **headers: str) -> bytes:
    """What somebody writes back."""
    mail = EmailMessage()
    mail["From"] = "Hanako <hanako@example.jp>"
    mail["To"] = "hello@shop.example"
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{id}@example.jp>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def complaint(public_id: str, kind: str = "abuse", *, sender: str = "", id: str = "1") -> bytes:
    """A provider's feedback (RFC 5965). Many leave out whom it is about."""
    return f"""From: feedback@provider.example
Subject: complaint about message
Message-ID: <arf-{id}@provider.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an email abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Provider/1.0
Version: 1
{f"Original-Mail-From: <{sender}>" if sender else "Source-IP: 192.0.2.1"}

--b
Content-Type: message/rfc822

From: Shop <hello@shop.example>
Subject: An invitation
{f"Message-ID: <{public_id}@shop.example>" if public_id else "X-Nothing: here"}

Hello
--b--
""".encode()
