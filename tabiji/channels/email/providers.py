"""Headers by which a mail provider tells us later which mail it speaks of, where it does not keep our Message-ID."""

from __future__ import annotations

from collections.abc import Collection

_HEADERS = {
    "ses": "X-Tabiji-Message",
    "postmark": "X-PM-Metadata-tabiji",
    "mailjet": "X-MJ-CustomID",
}
"""SendGrid and Mailgun keep the Message-ID of what comes by SMTP."""


def headers_for(providers: Collection[str], message: str) -> dict[str, str]:
    """Headers of a message for the providers that tell us what became of it.

    Args:
        providers: Names, as in `TABIJI_CARRIER_SECRETS`.
        message: The message's public id.
    """
    return {header: message for name, header in _HEADERS.items() if name in providers}
