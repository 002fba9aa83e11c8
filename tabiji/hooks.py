"""What a file in the folder `hooks` is written with.

from tabiji.hooks import Call, Hmac, HookEvent, Source, Who, header
"""

from tabiji.domain.hooks import (
    IDENTIFIED,
    Agreed,
    Call,
    HookEvent,
    Source,
    Turned,
    Who,
    as_text,
    body,
    dig,
    header,
    objects,
)
from tabiji.domain.signatures import Hmac, Signature, StandardWebhooks

__all__ = [
    "IDENTIFIED",
    "Agreed",
    "Call",
    "Hmac",
    "HookEvent",
    "Signature",
    "Source",
    "StandardWebhooks",
    "Turned",
    "Who",
    "as_text",
    "body",
    "dig",
    "header",
    "objects",
]
