"""Mailjet: the Event API with Basic credentials in its address, for it signs nothing. The secret is `user:password`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue

from api.carriers.said import Object, Said, What, digest, is_known, moment, objects, public_id, text
from tabiji.domain.bounces import Kind

_PLAIN: Mapping[str, What] = {
    "sent": "delivered",
    "open": "open",
    "click": "click",
    "spam": "complaint",
    "unsub": "unsubscribe",
}
_ERRORS: Mapping[str, Kind] = {
    "user unknown": Kind.HARD_BOUNCE,
    "invalid domain": Kind.HARD_BOUNCE,
    "no mail host": Kind.HARD_BOUNCE,
    "mailbox inactive": Kind.HARD_BOUNCE,
    "quota exceeded": Kind.MAILBOX_FULL,
    "content blocked": Kind.CONTENT,
    "spam classification": Kind.CONTENT,
    "sender blocked": Kind.POLICY,
    "blocked": Kind.POLICY,
    "policy issue": Kind.POLICY,
    "spam reporter": Kind.POLICY,
}


class Mailjet:
    """See `Provider`."""

    name = "mailjet"

    def proves(self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime) -> bool:
        """What was sent cannot be told from a copy: that it counts once is all that helps."""
        del body, now
        return is_known(headers, secrets)

    def read(self, payload: JsonValue) -> Iterator[Said]:
        """One event, or a list of them."""
        for event in objects(payload):
            name = text(event.get("event")) or ""
            if name in _PLAIN:
                yield _said(event, _PLAIN[name])
            elif name in ("bounce", "blocked"):
                kind = _ERRORS.get((text(event.get("error")) or "").lower(), Kind.OTHER)
                hard = event.get("hard_bounce") is True
                if kind is Kind.OTHER:
                    kind = Kind.HARD_BOUNCE if hard else Kind.POLICY if name == "blocked" else kind
                yield _said(event, "bounce", kind, permanent=hard or name == "blocked")


def _said(event: Object, what: What, kind: Kind = Kind.OTHER, *, permanent: bool = True) -> Said:
    ids = (event.get("Message_GUID"), event.get("MessageID"), event.get("CustomID"), event.get("email"))
    return Said(
        what=what,
        message=public_id(event.get("CustomID")),
        address=text(event.get("email"), most=254),
        key=digest(what, *ids, event.get("time"), event.get("url")),
        at=moment(event.get("time")),
        kind=kind,
        permanent=permanent,
        url=text(event.get("url")),
        agent=text(event.get("agent")) or "",
        ip=text(event.get("ip"), most=64),
    )
