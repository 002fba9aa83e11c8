"""The bytes of one message, and the two addresses on its envelope."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from tabiji.channels.email.bodies import alternatives
from tabiji.channels.email.finishing import Rendered
from tabiji.errors import ConfigurationError

# 76: with it an encoded word has at most 75 characters, as RFC 2047 asks.
_NARROW = SMTP.clone(cte_type="7bit", max_line_length=76)
_BESIDE_NAME = 76 - len("Subject: ")


@dataclass(frozen=True)
class Mail:
    """One message, ready to be sent. `content` is what a signature must cover."""

    content: bytes
    sender: str
    recipient: str
    message_id: str


@dataclass(frozen=True)
class Mailbox:
    """A name and an address."""

    name: str
    email: str

    @classmethod
    def parse(cls, written: str, setting: str) -> Mailbox:
        """Read ``旅路 <hello@example.com>``, or the address alone.

        Raises:
            ConfigurationError: It is not an address; the message names the setting.
        """
        name, email = parseaddr(written)
        address = ascii_address(email)
        if address is None or not written.isprintable():
            raise ConfigurationError(f"{setting} must be like `Name <name@example.com>`.")
        return cls(" ".join(name.split()), address)

    @property
    def domain(self) -> str:
        """Behind the @."""
        return self.email.rpartition("@")[2]

    @property
    def header(self) -> Address:
        """As a header takes it."""
        return Address(display_name=self.name, addr_spec=self.email)


# Most addresses, and nothing about which there could be a question: the others are left to the library.
_PLAIN = re.compile(
    r"[a-z0-9_+-]{1,20}(?:\.[a-z0-9_+-]{1,20}){0,2}@(?:[a-z0-9](?:-?[a-z0-9]){0,30}\.){1,3}(?P<top>[a-z]{2,24})"
)


def ascii_address(email: str) -> str | None:
    """An address as every relay takes it, its domain in punycode; None where there is no such form."""
    if (plain := _PLAIN.fullmatch(email)) is not None and plain["top"] not in SPECIAL_USE_DOMAIN_NAMES:
        return email
    try:
        return validate_email(
            email, check_deliverability=False, allow_smtputf8=False, test_environment=True
        ).ascii_email
    except EmailNotValidError:
        return None


def compose(
    rendered: Rendered,
    *,
    public_id: str,
    sender: Mailbox,
    recipient: str,
    date: datetime,
    unsubscribe_url: str | None = None,
    envelope_sender: str | None = None,
    reply_to: str | None = None,
    more: Mapping[str, str] | None = None,
) -> Mail:
    """Build the message.

    Args:
        rendered: Its content.
        public_id: Names the message; with the sender's domain it is the Message-ID, the same in every attempt.
        sender: Who it comes from.
        recipient: An address `ascii_address` has let pass.
        date: Wall-clock time of sending.
        unsubscribe_url: Takes one-click posts (RFC 8058); None: nothing to unsubscribe from.
        envelope_sender: Where a mail that cannot be delivered returns to; None: to the sender.
        reply_to: Where an answer goes; None: to the sender.
        more: Further headers, in ASCII.

    Raises:
        ValueError: A header would contain a line break.
    """
    message_id = f"<{public_id}@{sender.domain}>"
    headers = {
        "From": _mailbox(sender),
        "To": recipient,
        "Reply-To": reply_to,
        "Subject": _words(rendered.subject),
        "Date": format_datetime(date),
        "Message-ID": message_id,
        "List-Unsubscribe": f"<{unsubscribe_url}>" if unsubscribe_url is not None else None,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" if unsubscribe_url is not None else None,
        **(more or {}),
    }
    head = [_header(name, value) for name, value in headers.items() if value is not None]
    return Mail(
        content=b"\r\n".join([*head, alternatives(rendered.text, rendered.html, public_id)]),
        sender=envelope_sender or sender.email,
        recipient=recipient,
        message_id=message_id,
    )


def _header(name: str, value: str) -> bytes:
    # Links are one line, however long: a fold would turn them into an encoded word.
    if "\n" in value.replace("\r\n ", "") or "\r" in value.replace("\r\n ", ""):
        raise ValueError(f"the header {name} may not contain a linefeed or carriage return")
    return f"{name}: {value}".encode("ascii")


@lru_cache(maxsize=64)
def _mailbox(mailbox: Mailbox) -> str:
    folded = str(_NARROW.header_factory("From", mailbox.header).fold(policy=_NARROW))
    return folded.removeprefix("From: ").removesuffix("\r\n")


def _words(text: str) -> str:
    """A line of words as a header has it (RFC 2047): no encoded word over 75 characters, no line over 76."""
    if "\n" in text or "\r" in text:
        raise ValueError("a subject may not contain a linefeed or carriage return")
    plain = text.isascii() and text.isprintable() and "=?" not in text
    if plain and len(text) <= _BESIDE_NAME:
        return text
    simple = plain and "  " not in text and all(len(word) <= _BESIDE_NAME for word in text.split(" "))
    charset = "us-ascii" if simple else "utf-8"
    return Header(_sound(text), charset, maxlinelen=75, header_name="Subject").encode(linesep="\r\n")


def _sound(text: str) -> str:
    """Without halves of characters, which no encoding has."""
    return text.encode("utf-8", "replace").decode()
