"""Amazon SES: what it says by SNS, as feedback notifications or events of a configuration set.

The secrets are the ARNs of the topics it may come by.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from api.carriers.said import Object, Said, What, kind_by, moment, obj, objects, public_id, text
from tabiji.domain.bounces import Kind

NAME = "ses"
HEADER = "X-Tabiji-Message"
"""SES writes a Message-ID of its own; it tells the headers it was given."""

_KINDS: Mapping[str, Kind] = {
    "noemail": Kind.HARD_BOUNCE,
    "suppressed": Kind.HARD_BOUNCE,
    "onaccountsuppressionlist": Kind.HARD_BOUNCE,
    "mailboxfull": Kind.MAILBOX_FULL,
    "messagetoolarge": Kind.CONTENT,
    "contentrejected": Kind.CONTENT,
    "attachmentrejected": Kind.CONTENT,
}
_TOUCHES: Mapping[str, What] = {"open": "open", "click": "click"}


def read(message: Object) -> Iterator[Said]:
    """What one notification of SNS says; what we do not know is left out."""
    try:
        told = obj(json.loads(text_of(message)))
    except (ValueError, RecursionError):
        return
    kind = (text(told.get("eventType")) or text(told.get("notificationType")) or "").lower()
    mail, key = obj(told.get("mail")), text(message.get("MessageId")) or ""
    if kind == "bounce":
        yield from _bounces(mail, obj(told.get("bounce")), key)
    elif kind == "complaint":
        yield from _complaints(mail, obj(told.get("complaint")), key)
    elif kind == "delivery":
        at = moment(obj(told.get("delivery")).get("timestamp"))
        yield Said(what="delivered", message=_id(mail), address=_first(mail.get("destination")), key=key, at=at)
    elif kind == "subscription":
        about = obj(told.get("subscription"))
        if obj(about.get("newTopicPreferences")).get("unsubscribeAll") is True:
            yield Said(what="unsubscribe", message=_id(mail), key=key, at=moment(about.get("timestamp")))
    elif kind in _TOUCHES:
        about = obj(told.get(kind))
        yield Said(
            what=_TOUCHES[kind],
            message=_id(mail),
            key=key,
            at=moment(about.get("timestamp")),
            url=text(about.get("link")),
            agent=text(about.get("userAgent")) or "",
            ip=text(about.get("ipAddress"), most=64),
        )


def text_of(message: Object) -> str:
    """The notification's own text; empty where there is none."""
    value = message.get("Message")
    return value if isinstance(value, str) else ""


def _bounces(mail: Object, bounce: Object, key: str) -> Iterator[Said]:
    permanent = (text(bounce.get("bounceType")) or "").lower() == "permanent"
    subtype = (text(bounce.get("bounceSubType")) or "").lower()
    for place, one in enumerate(objects(bounce.get("bouncedRecipients"))):
        kind = _KINDS.get(subtype) or kind_by(one.get("status"))
        if permanent and kind is Kind.OTHER and not text(one.get("status")):
            kind = Kind.HARD_BOUNCE
        yield Said(
            what="bounce",
            message=_id(mail),
            address=text(one.get("emailAddress"), most=254),
            key=f"{key}/{place}",
            at=moment(bounce.get("timestamp")),
            kind=kind,
            permanent=permanent,
            evidence=text(one.get("status"), most=20),
        )


def _complaints(mail: Object, complaint: Object, key: str) -> Iterator[Said]:
    if (text(complaint.get("complaintFeedbackType")) or "").lower() == "not-spam":
        return
    # Several recipients: it does not know which of them it was. Ours have one each.
    for place, one in enumerate(objects(complaint.get("complainedRecipients"))):
        yield Said(
            what="complaint",
            message=_id(mail),
            address=text(one.get("emailAddress"), most=254),
            key=f"{key}/{place}",
            at=moment(complaint.get("timestamp")),
        )


def _id(mail: Object) -> str | None:
    headers = {(text(one.get("name")) or "").lower(): one.get("value") for one in objects(mail.get("headers"))}
    tagged = _first(obj(mail.get("tags")).get("tabiji"))
    return public_id(headers.get(HEADER.lower()), tagged, headers.get("message-id"))


def _first(value: JsonValue) -> str | None:
    return text(value[0]) if isinstance(value, list) and value else None
