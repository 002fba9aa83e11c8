"""Webhooks that come in: what a source sends, how it proves who it is, and which events it stands for.

    shop = Source("shop", signed=Hmac("X-Shop-Signature"), topic=header("X-Shop-Topic"))

    @shop.on("order.created")
    def ordered(call: Call) -> Iterator[HookEvent]:
        order = call.payload
        yield HookEvent("Order Completed", Who(email=call.text("customer.email")), {"order_id": call.text("id")})

Written in `hooks/`, one file a source; it is found by itself and answers at `POST /v1/hooks/{name}`. The secret is
`TABIJI_HOOK_SECRETS`; a source without one takes nothing.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias, cast

from pydantic import JsonValue

from tabiji.domain.signatures import Signature
from tabiji.domain.values import instant
from tabiji.errors import ConfigurationError, JourneyDefinitionError

IDENTIFIED: Final = "Identified"
"""Name of an event that says who somebody is and nothing else."""
DEEPEST = 16
LARGEST = 2**63 - 1
LONGEST_ID = 256
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

Payload: TypeAlias = Mapping[str, JsonValue]


@dataclass(frozen=True)
class Call:
    """One request of a source, signed and read.

    Attributes:
        topic: What it is about, in the source's own words.
        headers: By lower-case name. Most sources do not sign them: what must be true is in the payload.
        payload: The body.
        id: Of this delivery. A request that is sent again has the same one.
    """

    topic: str
    headers: Mapping[str, str]
    payload: Payload
    id: str

    def get(self, path: str) -> JsonValue:
        """What stands at a dotted path of the payload; None where nothing does."""
        return dig(self.payload, path)

    def text(self, path: str) -> str | None:
        """The text there, or the number as text; None where there is neither, or nothing but blanks."""
        return as_text(self.get(path))

    def instant(self, path: str) -> datetime | None:
        """The instant there, None where there is none with a time zone."""
        found = self.get(path)
        return instant(found) if isinstance(found, str) else None


@dataclass(frozen=True)
class Agreed:
    """A decision about one topic that somebody took at the source, with its proof."""

    topic: str
    given: bool
    source: str
    wording: str | None = None
    confirmed: bool = True
    """False: the source has not made sure of the address; a topic with double opt-in asks it then."""


@dataclass(frozen=True)
class Who:
    """Whom an event is about: the ids that lead to a contact, and what the source knows of them.

    What is no address, and what is longer than an id may be, is left out.
    """

    user_id: str | None = None
    email: str | None = None
    anonymous_id: str | None = None
    traits: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    agreed: Agreed | None = None

    @property
    def is_anybody(self) -> bool:
        """Whether there is an id at all."""
        return bool(self.user_id or self.email or self.anonymous_id)


@dataclass(frozen=True)
class Turned:
    """A second event, which happens where the one before of the same name and the same person was otherwise.

    Attributes:
        name: Of the second event.
        was: Told the properties of the one before: whether they were otherwise.
    """

    name: str
    was: Callable[[Payload], bool]


@dataclass(frozen=True)
class HookEvent:
    """One event a request stands for.

    Attributes:
        name: As it is recorded; `IDENTIFIED`: it only says who somebody is.
        who: Whom it is about. With no id at all it is counted and left out.
        properties: As they are recorded.
        at: When it happened; now where not given. Never in the future.
        once: What it is, such as `order/1001/completed`: makes it count once, whatever requests tell of it. Made of
            the payload, it also makes harmless what somebody sends again under another delivery's id.
        turned: See there.
    """

    name: str
    who: Who
    properties: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    at: datetime | None = None
    once: str | None = None
    turned: Turned | None = None


Read: TypeAlias = Callable[[Mapping[str, str], Payload], str | None]
"""Reads something out of a request."""
Mapped: TypeAlias = Callable[[Call], Iterable[HookEvent]]


def header(*names: str) -> Read:
    """The first of these headers that is there."""
    return lambda headers, _: next((found for name in names if (found := headers.get(name.lower()))), None)


def body(path: str) -> Read:
    """What stands at a dotted path of the body."""
    return lambda _, payload: as_text(dig(payload, path))


class Source:
    """One system that tells us things. Mappings are added with `on`."""

    def __init__(
        self, name: str, *, signed: Signature, topic: Read, id: Read | None = None, sender: Read | None = None
    ) -> None:
        """Declare it.

        Args:
            name: Stands in the address it posts to.
            signed: How it proves who it is.
            topic: Where it says what a request is about.
            id: Where it says which delivery this is. Without one a body counts once.
            sender: Where it says which of several senders it is, for `TABIJI_HOOK_SENDERS`.
        """
        if not _NAME.fullmatch(name):
            raise JourneyDefinitionError(f"source {name!r}: a name has lower-case letters, digits and hyphens.")
        self.name = name
        self.signed = signed
        self._topic, self._id, self._sender = topic, id, sender
        self._mappings: dict[str, Mapped] = {}

    def on(self, *topics: str) -> Callable[[Mapped], Mapped]:
        """Map requests about these topics; others are answered, counted and left alone."""

        def add(mapped: Mapped) -> Mapped:
            for topic in topics:
                if topic in self._mappings:
                    raise JourneyDefinitionError(f"source {self.name!r} maps {topic!r} twice.")
                self._mappings[topic] = mapped
            return mapped

        return add

    @property
    def topics(self) -> tuple[str, ...]:
        """What is mapped, sorted."""
        return tuple(sorted(self._mappings))

    def call(self, headers: Mapping[str, str], payload: Payload, raw: bytes) -> Call:
        """A request as mappings are told of it."""
        told = self._id(headers, payload) if self._id is not None else None
        id = told or hashlib.sha256(raw).hexdigest()
        return Call(self._topic(headers, payload) or "", headers, payload, id)

    def sender(self, call: Call) -> str:
        """Who of several senders it is; empty where the source does not say."""
        return (self._sender(call.headers, call.payload) or "") if self._sender is not None else ""

    def events(self, call: Call) -> list[HookEvent] | None:
        """What a request stands for; None where nobody maps its topic."""
        mapped = self._mappings.get(call.topic)
        return None if mapped is None else list(mapped(call))

    def message_id(self, call: Call, event: HookEvent, place: int) -> str:
        """What makes an event count once."""
        message_id = f"hook/{self.name}/" + (event.once or f"{call.id}/{place}")
        if len(message_id) <= LONGEST_ID and message_id.isprintable():
            return message_id
        return f"hook/{self.name}/{hashlib.sha256(message_id.encode('utf-8', 'replace')).hexdigest()}"


class Sources:
    """The sources of an application, by name."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._by_name: dict[str, Source] = {}
        for source in sources:
            if source.name in self._by_name:
                raise JourneyDefinitionError(f"two sources have the name {source.name!r}. Rename one.")
            self._by_name[source.name] = source

    def get(self, name: str) -> Source | None:
        """The source of a name."""
        return self._by_name.get(name)

    def check(self, secrets: Mapping[str, Iterable[str]]) -> None:
        """Look at what sources sign with, as the settings say.

        Raises:
            ConfigurationError: A secret is for no source, or is none of its kind. It is not quoted.
        """
        for name, texts in secrets.items():
            if (source := self.get(name)) is None:
                known = ", ".join(sorted(self._by_name)) or "none"
                raise ConfigurationError(f"TABIJI_HOOK_SECRETS: no source {name!r} is in hooks/. Known: {known}.")
            if problems := [problem for text in texts if (problem := source.signed.problem(text))]:
                raise ConfigurationError(f"TABIJI_HOOK_SECRETS: the secret of {name!r} {problems[0]}.")

    def __iter__(self) -> Iterator[Source]:
        return iter(self._by_name[name] for name in sorted(self._by_name))


def dig(value: JsonValue | Mapping[str, JsonValue], path: str) -> JsonValue:
    """What stands at a dotted path; None where nothing does."""
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return cast("JsonValue", value)


def as_text(value: JsonValue) -> str | None:
    """A text that says something, or a number as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def objects(value: JsonValue) -> list[dict[str, JsonValue]]:
    """The objects of a list; none where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def kept(value: JsonValue, depth: int = 0) -> JsonValue:
    """A value as a database can keep it. A source cannot mend what it sends, so nothing is refused here.

    NUL characters and halves of surrogate pairs go, whole numbers of more than 64 bits become texts, what is no
    finite number becomes null, and so does what is nested too deep.
    """
    match value:
        case str():
            return value.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case bool() | None:
            return value
        case int():
            return value if abs(value) <= LARGEST else str(value)
        case float():
            return value if math.isfinite(value) else None
        case _ if depth >= DEEPEST:
            return None
        case list():
            return [kept(one, depth + 1) for one in cast("Sequence[JsonValue]", value)]
        case _:
            return {str(kept(name)): kept(one, depth + 1) for name, one in value.items()}
