"""SendGrid: the Event Webhook, signed with ECDSA. The secret is the verification key its settings page shows."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import JsonValue

from api.carriers.said import Object, Said, What, is_timely, kind_by, moment, objects, public_id, text
from tabiji.domain.bounces import Kind

SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"

_PLAIN: Mapping[str, What] = {
    "delivered": "delivered",
    "open": "open",
    "click": "click",
    "spamreport": "complaint",
    "unsubscribe": "unsubscribe",
    "group_unsubscribe": "unsubscribe",
}
# It did not try: the address is on a list of its own.
_DROPPED: Mapping[str, Kind] = {
    "bounced address": Kind.HARD_BOUNCE,
    "invalid": Kind.HARD_BOUNCE,
    "spam content": Kind.CONTENT,
    "recipient list over package quota": Kind.POLICY,
}


class SendGrid:
    """See `Provider`."""

    name = "sendgrid"

    def proves(self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime) -> bool:
        """The signature is over the time and the body."""
        told = headers.get(TIMESTAMP, "")
        if not told.isascii() or not is_timely(moment(told), now):
            return False
        try:
            signature = base64.b64decode(headers.get(SIGNATURE, ""), validate=True)
        except ValueError:
            return False
        return any(_is_signed(secret, signature, told.encode() + body) for secret in secrets)

    def read(self, payload: JsonValue) -> Iterator[Said]:
        """A list of events."""
        for event in objects(payload):
            name = text(event.get("event")) or ""
            if name in _PLAIN:
                yield _said(event, _PLAIN[name])
            elif name == "bounce":
                blocked = text(event.get("type")) == "blocked"
                kind = kind_by(event.get("status"))
                yield _said(event, "bounce", Kind.POLICY if blocked and kind is Kind.OTHER else kind)
            elif name == "dropped":
                reason = (text(event.get("reason")) or "").lower()
                yield _said(event, "bounce", _DROPPED.get(reason, Kind.POLICY))


def _said(event: Object, what: What, kind: Kind = Kind.OTHER) -> Said:
    return Said(
        what=what,
        # By SMTP it keeps our Message-ID, in angle brackets.
        message=public_id(event.get("tabiji"), event.get("smtp-id")),
        address=text(event.get("email"), most=254),
        key=text(event.get("sg_event_id")) or "",
        at=moment(event.get("timestamp")),
        kind=kind,
        evidence=text(event.get("status"), most=20),
        url=text(event.get("url")),
        agent=text(event.get("useragent")) or "",
        ip=text(event.get("ip"), most=64),
        machine=event.get("sg_machine_open") is True,
    )


def _is_signed(key: str, signature: bytes, signed: bytes) -> bool:
    try:
        loaded = load_der_public_key(base64.b64decode(key, validate=True))
        if not isinstance(loaded, ec.EllipticCurvePublicKey):
            return False
        loaded.verify(signature, signed, ec.ECDSA(SHA256()))
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
