"""The bytes of one message, and the two addresses on its envelope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import parseaddr
from typing import Any

from email_validator import EmailNotValidError, validate_email

from tabiji.channels.email.render import Rendered
from tabiji.errors import ConfigurationError

# Bodies travel as quoted-printable or base64: not every relay takes eight bits.
# 76: with it an encoded word has at most 75 characters, as RFC 2047 asks.
_NARROW = SMTP.clone(cte_type="7bit", max_line_length=76)
_WIDE = _NARROW.clone(max_line_length=998)
_ONE_LINE = frozenset({"list-unsubscribe", "list-unsubscribe-post", "message-id"})


class _Folding(EmailPolicy):
    """Keeps addresses of pages on one line; a fold would turn them into an encoded word.

    Everything else is folded as usual.
    """

    def fold(self, name: str, value: Any) -> str:
        """See base class."""
        folded: str = _WIDE.fold(name, value) if name.lower() in _ONE_LINE else _NARROW.fold(name, value)
        return folded

    def fold_binary(self, name: str, value: Any) -> bytes:
        """See base class."""
        return _WIDE.fold_binary(name, value) if name.lower() in _ONE_LINE else _NARROW.fold_binary(name, value)


_POLICY = _Folding(linesep="\r\n", cte_type="7bit", max_line_length=998)


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


def ascii_address(email: str) -> str | None:
    """An address as every relay takes it, its domain in punycode; None where there is no such form."""
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
) -> Mail:
    """Build the message.

    Args:
        rendered: Its content.
        public_id: Names the message; with the sender's domain it is the Message-ID, the same in every attempt.
        sender: Who it comes from.
        recipient: An address `ascii_address` has let pass.
        date: Wall-clock time of sending.
        unsubscribe_url: Takes one-click posts (RFC 8058); None: nothing to unsubscribe from.
        envelope_sender: Where it comes back to when it cannot be delivered; None: to the sender.
        reply_to: Where people answer to; None: to the sender.
    """
    message = EmailMessage(policy=_POLICY)
    message_id = f"<{public_id}@{sender.domain}>"
    message["From"] = sender.header
    message["To"] = Address(addr_spec=recipient)
    if reply_to is not None:
        message["Reply-To"] = Address(display_name=sender.name, addr_spec=reply_to)
    message["Subject"] = rendered.subject
    message["Date"] = date
    message["Message-ID"] = message_id
    if unsubscribe_url is not None:
        message["List-Unsubscribe"] = f"<{unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(rendered.text)
    message.add_alternative(rendered.html, subtype="html")
    back_to = envelope_sender or sender.email
    return Mail(content=message.as_bytes(), sender=back_to, recipient=recipient, message_id=message_id)
