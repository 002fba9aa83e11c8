"""What web apps send: Segment's `identify`, `track` and `page`, checked field by field and turned into `Incoming`."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from api.deps import Identifier, Name
from api.errors import invalid
from models.clock import Clock
from models.incoming import Incoming

FASTEST = 10_000_000
_LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")
_INSTANT = "must be an instant with a time zone, e.g. 2026-01-31T09:00:00Z"

Fields = dict[str, JsonValue]


def address(value: str) -> str:
    """An e-mail address in the one form we keep.

    Raises:
        ValueError: It is none. The message does not quote it.
    """
    try:
        normalized = validate_email(value, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise ValueError("is not an e-mail address") from None
    if len(normalized) > 254:
        raise ValueError("is longer than an e-mail address may be")
    return normalized


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(value: str) -> str:
    """A time zone by its IANA name.

    Raises:
        ValueError: There is none of that name.
    """
    if value not in _zones():
        raise ValueError("is not an IANA time zone, e.g. Asia/Tokyo")
    return value


def _locale(value: str) -> str:
    if len(value) > 35 or not _LOCALE.fullmatch(value):
        raise ValueError("is not a language tag, e.g. ja-JP")
    return value


def _text_only(value: object) -> object:
    if value is not None and not isinstance(value, str):
        raise ValueError(_INSTANT)
    return value


def _in_our_age(value: datetime) -> datetime:
    if not 2000 <= value.year <= 2100:
        raise ValueError("must lie between the years 2000 and 2100")
    return value


Email = Annotated[str, AfterValidator(address)]
Zone = Annotated[str, AfterValidator(zone)]
Locale = Annotated[str, AfterValidator(_locale)]
Instant = Annotated[AwareDatetime, BeforeValidator(_text_only), AfterValidator(_in_our_age)]
Tempo = Annotated[float, Field(gt=0, le=FASTEST, strict=True)]


class _Sent(BaseModel):
    model_config = ConfigDict(frozen=True)


class TabijiContext(_Sent):
    """Our own corner of the context."""

    tempo: Tempo | None = Field(
        default=None,
        description="Makes the contact a test contact whose journeys run this many times faster. Needs an admin key.",
    )


class Context(_Sent):
    """Segment's context. What is not named here is kept with the event."""

    model_config = ConfigDict(frozen=True, extra="allow")

    timezone: Zone | None = Field(default=None, examples=["Asia/Tokyo"])
    locale: Locale | None = Field(default=None, examples=["ja-JP"])
    traits: Fields | None = None
    tabiji: TabijiContext | None = None


class _Call(_Sent):
    userId: Identifier | None = None
    anonymousId: Identifier | None = Field(default=None, description="a visitor nobody knows by name yet")
    context: Context | None = None
    messageId: Identifier | None = Field(default=None, description="makes sending it again harmless")
    timestamp: Instant | None = Field(default=None, description="when it happened, by the client's clock")
    sentAt: Instant | None = Field(default=None, description="when it was sent, by the client's clock")

    @property
    def tempo(self) -> float | None:
        """How much faster the contact's journeys are to run; for test contacts."""
        return self.context.tabiji.tempo if self.context and self.context.tabiji else None


class Identify(_Call):
    """Who somebody is."""

    traits: Fields | None = None


class Track(_Call):
    """What somebody did."""

    event: Name
    properties: Fields | None = None


class Page(_Call):
    """A page somebody looked at."""

    name: Name | None = None
    category: Name | None = None
    properties: Fields | None = Field(default=None, description="path, url, title, referrer …")


def identified(call: Identify, clock: Clock) -> Incoming:
    """An `identify` as it is recorded."""
    return _incoming(call, clock, kind="identify", name="Identified", traits=call.traits)


def tracked(call: Track, clock: Clock) -> Incoming:
    """A `track` as it is recorded."""
    return _incoming(call, clock, kind="track", name=call.event, properties=call.properties)


def viewed(call: Page, clock: Clock) -> Incoming:
    """A `page` as it is recorded."""
    named: Fields = {"name": call.name, "category": call.category}
    properties = {**(call.properties or {}), **_present(named)}
    return _incoming(call, clock, kind="page", name="Page Viewed", properties=properties)


def _incoming(
    call: _Call, clock: Clock, *, kind: str, name: str, properties: Fields | None = None, traits: Fields | None = None
) -> Incoming:
    context = call.context or Context()
    profile = {
        **_present({"timezone": context.timezone, "locale": context.locale}),
        **_traits(context.traits, "context.traits"),
        **_traits(traits, "traits"),
    }
    email = profile.pop("email", None)
    if not (call.userId or call.anonymousId or email):
        raise invalid("userId", "say who it was: userId, anonymousId, or an e-mail in traits.email")
    return Incoming(
        kind=kind,
        name=name,
        message_id=call.messageId or str(uuid.uuid4()),
        at=_happened_at(call, clock),
        properties=_present(properties),
        context=_kept(context),
        user_id=call.userId,
        anonymous_id=call.anonymousId,
        email=email if isinstance(email, str) else None,
        traits=profile,
        tempo=call.tempo,
    )


def _happened_at(call: _Call, clock: Clock) -> datetime:
    """Journey time. Clients' clocks are wrong, but by the same amount when it happened and when it was sent."""
    if call.timestamp is None:
        return clock.now()
    age = (call.sentAt or clock.wall()) - call.timestamp
    return clock.now() - max(age, timedelta(0))


def _present(fields: Fields | None) -> Fields:
    """Segment's clients send null for what is not there."""
    return {name: value for name, value in (fields or {}).items() if value is not None}


def _traits(traits: Fields | None, where: str) -> Fields:
    checked = _present(traits)
    for name, check in (("email", address), ("timezone", zone), ("locale", _locale)):
        value = checked.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise invalid(f"{where}.{name}", "must be text")
        try:
            checked[name] = check(value)
        except ValueError as error:
            raise invalid(f"{where}.{name}", str(error)) from None
    return checked


def _kept(context: Context) -> dict[str, Any]:
    """Of the context, what says something about the event. The address of a device stays out."""
    rest = {name: value for name, value in (context.model_extra or {}).items() if name != "ip"}
    return _present({**rest, "timezone": context.timezone, "locale": context.locale})
