"""Mails of the local inbox: a Maildir on disk, read back as what a person wants to see."""

from __future__ import annotations

import mailbox
import re
import threading
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from pydantic import BaseModel, ConfigDict

_KEY = re.compile(r"(\d+)\.M(\d+)P\d+Q(\d+)\.")


class Summary(BaseModel):
    """A line of the list."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: str
    sender: str
    to: str
    """The envelope's recipients: who would have received it."""
    subject: str
    date: datetime

    def shown(self) -> dict[str, str]:
        """As JSON shows it."""
        return {
            "id": self.id,
            "from": self.sender,
            "to": self.to,
            "subject": self.subject,
            "date": self.date.isoformat(),
        }


class Mail(BaseModel):
    """One mail, whole."""

    model_config = ConfigDict(frozen=True)

    summary: Summary
    headers: list[tuple[str, str]]
    text: str
    html: str
    raw: str

    @property
    def message_id(self) -> str:
        """Empty where it has none."""
        return next((value for name, value in self.headers if name.lower() == "message-id"), "").strip()

    def shown(self) -> dict[str, object]:
        """As JSON shows it. A header that occurs twice is a list."""
        headers: dict[str, str | list[str]] = {}
        for name, value in self.headers:
            known = headers.get(name)
            if known is None:
                headers[name] = value
            else:
                headers[name] = [*known, value] if isinstance(known, list) else [known, value]
        return {**self.summary.shown(), "headers": headers, "text": self.text, "html": self.html, "raw": self.raw}


class MailStore:
    """A Maildir. What was added is on disk when `add` returns and is never changed."""

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._box = mailbox.Maildir(folder, create=True)
        self._known: dict[str, Summary] = {}
        self._lock = threading.Lock()  # a Maildir object is for one thread at a time

    def add(self, content: bytes, *, sender: str, recipients: list[str]) -> str:
        """Keep a mail as it came, below the two headers a delivery adds. Returns its id."""
        envelope = f"Return-Path: <{sender}>\r\nDelivered-To: {', '.join(recipients)}\r\n"
        with self._lock:
            return self._box.add(envelope.encode() + content)

    def list(self, *, to: str | None = None, limit: int | None = None) -> list[Summary]:
        """Newest first.

        Args:
            to: Only mails one of whose recipients is this address.
            limit: At most so many.
        """
        with self._lock:
            keys = sorted(self._box.keys(), key=_arrival, reverse=True)
        found = [summary for key in keys if (summary := self._summary(key)) is not None]
        if to:
            found = [summary for summary in found if to.lower() in summary.to.lower().split(", ")]
        return found[:limit]

    def get(self, key: str) -> Mail | None:
        """One mail, or ``None`` when there is none of that id."""
        raw = self._raw(key)
        if raw is None:
            return None
        message = _parse(raw)
        return Mail(
            summary=_summarise(key, message),
            headers=[(name, str(value)) for name, value in message.items()],
            text=_part(message, "plain"),
            html=_part(message, "html"),
            raw=raw.decode("utf-8", "replace"),
        )

    def _summary(self, key: str) -> Summary | None:
        if key not in self._known:
            raw = self._raw(key)
            if raw is None:
                return None
            self._known[key] = _summarise(key, _parse(raw))
        return self._known[key]

    def _raw(self, key: str) -> bytes | None:
        try:
            with self._lock:
                return self._box.get_bytes(key)
        except KeyError:
            return None


def _parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def _summarise(key: str, message: EmailMessage) -> Summary:
    return Summary(
        id=key,
        sender=str(message.get("From", "")),
        to=str(message.get("Delivered-To", message.get("To", ""))),
        subject=str(message.get("Subject", "")),
        date=datetime.fromtimestamp(_arrival(key)[0], UTC),
    )


def _arrival(key: str) -> tuple[int, int, int]:
    found = _KEY.match(key)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    if body is None:
        return ""
    payload = cast("bytes", body.get_payload(decode=True) or b"")
    try:
        return payload.decode(body.get_content_charset("utf-8"), "replace")
    except LookupError:  # a charset nobody knows
        return payload.decode("utf-8", "replace")
