"""Mailgun: webhooks whose time and token are signed with HMAC. The secret is the HTTP webhook signing key."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue

from api.carriers.said import Object, Said, What, is_timely, kind_by, moment, obj, public_id, text
from tabiji.domain.bounces import Kind

MOST_TOKENS = 50_000
"""Remembered, in each process; those that are older than a signed time may be are refused anyhow."""

_PLAIN: Mapping[str, What] = {
    "delivered": "delivered",
    "opened": "open",
    "clicked": "click",
    "complained": "complaint",
    "unsubscribed": "unsubscribe",
}
_REASONS: Mapping[str, Kind] = {
    "suppress-bounce": Kind.HARD_BOUNCE,
    "suppress-complaint": Kind.POLICY,
    "suppress-unsubscribe": Kind.POLICY,
    "espblock": Kind.POLICY,
}


class Mailgun:
    """See `Provider`."""

    name = "mailgun"

    def __init__(self) -> None:
        self._bodies: OrderedDict[str, bytes] = OrderedDict()

    def proves(self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime) -> bool:
        """Only the time and a token are signed, not the event: TLS has to keep that."""
        del headers
        try:
            signature = obj(obj(json.loads(body)).get("signature"))
        except (ValueError, RecursionError):
            return False
        told, token, shown = (text(signature.get(name), most=200) for name in ("timestamp", "token", "signature"))
        if not (told and token and shown) or not told.isascii() or not is_timely(moment(told), now):
            return False
        signed = f"{told}{token}".encode()
        expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets if secret]
        signs = any(hmac.compare_digest(shown.lower().encode(), one.encode()) for one in expected)
        return signs and self._is_its_body(token, body)

    def _is_its_body(self, token: str, body: bytes) -> bool:
        """The event itself is not signed: a token is good for the body it came with first, as often as that comes."""
        digest = hashlib.sha256(body).digest()
        first = self._bodies.setdefault(token, digest)
        if len(self._bodies) > MOST_TOKENS:
            self._bodies.popitem(last=False)
        return hmac.compare_digest(first, digest)

    def read(self, payload: JsonValue) -> Iterator[Said]:
        """One event."""
        event = obj(obj(payload).get("event-data"))
        name = text(event.get("event")) or ""
        if name in _PLAIN:
            yield _said(event, _PLAIN[name])
        elif name == "failed":
            status = obj(event.get("delivery-status"))
            reason = text(event.get("reason")) or ""
            kind = _REASONS.get(reason) or kind_by(status.get("enhanced-code"), status.get("code"))
            permanent = text(event.get("severity")) != "temporary"
            # Without a status, what it calls a bounce is an address it gives up.
            if permanent and reason == "bounce" and kind is Kind.OTHER and not status.get("enhanced-code"):
                kind = Kind.HARD_BOUNCE
            yield _said(event, "bounce", kind, permanent=permanent)


def _said(event: Object, what: What, kind: Kind = Kind.OTHER, *, permanent: bool = True) -> Said:
    headers, client = obj(obj(event.get("message")).get("headers")), obj(event.get("client-info"))
    status = obj(event.get("delivery-status"))
    return Said(
        what=what,
        message=public_id(obj(event.get("user-variables")).get("tabiji"), headers.get("message-id")),
        address=text(event.get("recipient"), most=254),
        key=text(event.get("id")) or "",
        at=moment(event.get("timestamp")),
        kind=kind,
        permanent=permanent,
        evidence=_evidence(status),
        url=text(event.get("url")),
        agent=text(client.get("user-agent")) or "",
        ip=text(event.get("ip"), most=64),
        machine=bool(text(client.get("bot"))),
    )


def _evidence(status: Object) -> str | None:
    code, enhanced = status.get("code"), text(status.get("enhanced-code"), most=20)
    known = [str(code)] if isinstance(code, int) and 200 <= code <= 599 else []
    return " ".join([*known, *([enhanced] if enhanced else [])]) or None
