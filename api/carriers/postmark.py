"""Postmark: webhooks with Basic credentials in their address, for it signs nothing. The secret is `user:password`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue

from api.carriers.said import Object, Said, What, digest, is_known, moment, obj, public_id, text
from tabiji.domain.bounces import Kind

_PLAIN: Mapping[str, What] = {
    "Delivery": "delivered",
    "Open": "open",
    "Click": "click",
    "SpamComplaint": "complaint",
}
_HARD = ("HardBounce", "BadEmailAddress")
_BOUNCES: Mapping[str, tuple[Kind, bool]] = {
    **dict.fromkeys(_HARD, (Kind.HARD_BOUNCE, True)),
    "SoftBounce": (Kind.OTHER, False),
    "Transient": (Kind.OTHER, False),
    "DnsError": (Kind.OTHER, False),
    "Undeliverable": (Kind.OTHER, False),
    "Unknown": (Kind.OTHER, False),
    "Blocked": (Kind.POLICY, True),
    "SMTPApiError": (Kind.POLICY, True),
    "DMARCPolicy": (Kind.POLICY, True),
    "TemplateRenderingFailed": (Kind.POLICY, True),
    "SpamNotification": (Kind.CONTENT, True),
    "VirusNotification": (Kind.CONTENT, True),
}
"""By type. Answers of programs and changes of address, which it also calls bounces, are none."""


class Postmark:
    """See `Provider`."""

    name = "postmark"

    def proves(self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime) -> bool:
        """What was sent cannot be told from a copy: that it counts once is all that helps."""
        del body, now
        return is_known(headers, secrets)

    def read(self, payload: JsonValue) -> Iterator[Said]:
        """One event."""
        event = obj(payload)
        record, kind = text(event.get("RecordType")) or "", text(event.get("Type")) or ""
        if record in _PLAIN:
            yield _said(event, _PLAIN[record])
        elif record == "Bounce" and kind in ("SpamComplaint", "Unsubscribe"):
            yield _said(event, "complaint" if kind == "SpamComplaint" else "unsubscribe")
        elif record == "Bounce" and kind in _BOUNCES:
            yield _said(event, "bounce", *_BOUNCES[kind])
        elif record == "SubscriptionChange" and _is_theirs(event):
            yield _said(event, "unsubscribe")


def _is_theirs(event: Object) -> bool:
    """The reader has left. Its other reasons come as a bounce or complaint of their own."""
    return (
        event.get("SuppressSending") is True
        and text(event.get("SuppressionReason")) == "ManualSuppression"
        and text(event.get("Origin")) == "Recipient"
    )


def _said(event: Object, what: What, kind: Kind = Kind.OTHER, permanent: bool = True) -> Said:
    times = ("BouncedAt", "DeliveredAt", "ReceivedAt", "ChangedAt")
    at = next((found for name in times if (found := moment(event.get(name))) is not None), None)
    return Said(
        what=what,
        message=public_id(obj(event.get("Metadata")).get("tabiji")),
        address=text(event.get("Email") or event.get("Recipient"), most=254),
        # Opens and clicks have no name of their own.
        key=digest(what, event.get("ID"), event.get("MessageID"), at, event.get("OriginalLink")),
        at=at,
        kind=kind,
        permanent=permanent,
        url=text(event.get("OriginalLink")),
        agent=text(event.get("UserAgent")) or "",
        ip=text(obj(event.get("Geo")).get("IP"), most=64),
    )
