"""Segment's calls as they are sent. Whatever else a body says is not read."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import msgspec

LARGEST_EVENT = 32 * 1024
"""Bytes of one call, not compressed, as Segment has it."""
LARGEST_BATCH = 500 * 1024
"""Bytes of a whole batch, not compressed."""

Fields = dict[str, Any]


def _meta(description: str, **schema: Any) -> msgspec.Meta:
    """What the description of the API says. It checks nothing: `checks` does, in words a client can use."""
    return msgspec.Meta(description=description, extra_json_schema=schema)


_ID: dict[str, Any] = {"maxLength": 256}
_NAME: dict[str, Any] = {"maxLength": 200}
_INSTANT: dict[str, Any] = {"format": "date-time"}

User = Annotated[str | None, _meta("somebody you know", **_ID)]
Visitor = Annotated[str | None, _meta("a visitor nobody knows by name yet", **_ID)]
Previous = Annotated[str | None, _meta("an earlier id of the same person", **_ID)]
Group = Annotated[str | None, _meta("the account they belong to", **_ID)]
Event = Annotated[str | None, _meta("what they did", **_NAME)]
Name = Annotated[str | None, _meta("of the page or screen", **_NAME)]
Category = Annotated[str | None, _meta("of the page or screen", **_NAME)]
Properties = Annotated[Fields | None, _meta("of what happened: path, url, total …")]
Traits = Annotated[Fields | None, _meta("what is known of the person; of a group, what is known of the account")]
Context = Annotated[
    Fields | None, _meta("timezone, locale, campaign, page, userAgent, traits …; `ip` is dropped, `tabiji` is ours")
]
Message = Annotated[str | None, _meta("makes sending it again harmless", **_ID)]
Happened = Annotated[str | None, _meta("when it happened, by the client's clock", **_INSTANT)]
Sent = Annotated[str | None, _meta("when it was sent, by the client's clock", **_INSTANT)]
WriteKey = Annotated[str | None, _meta("the key, for clients that cannot set a header")]


class Call(msgspec.Struct):
    """One call of any kind. `KINDS` says which kind has which fields."""

    type: str | None = None
    userId: User = None
    anonymousId: Visitor = None
    previousId: Previous = None
    groupId: Group = None
    event: Event = None
    name: Name = None
    category: Category = None
    properties: Properties = None
    traits: Traits = None
    context: Context = None
    messageId: Message = None
    timestamp: Happened = None
    sentAt: Sent = None
    writeKey: WriteKey = None


class Batch(msgspec.Struct):
    """Many calls. What `context` says here counts for each that does not say otherwise."""

    batch: list[msgspec.Raw]
    context: Context = None
    sentAt: Sent = None
    writeKey: WriteKey = None


class Kind(NamedTuple):
    """What one kind of call is.

    Attributes:
        event: The name it is recorded under; None: the one it carries.
        fields: Those of its own.
        required: Those of them it cannot do without.
    """

    event: str | None
    fields: tuple[str, ...]
    required: tuple[str, ...] = ()


KINDS = {
    "identify": Kind("Identified", ("traits",)),
    "track": Kind(None, ("event", "properties"), ("event",)),
    "page": Kind("Page Viewed", ("name", "category", "properties")),
    "screen": Kind("Screen Viewed", ("name", "category", "properties")),
    "group": Kind("Group Identified", ("groupId", "traits"), ("groupId",)),
    "alias": Kind("Aliased", ("previousId",), ("previousId", "userId")),
}
COMMON = ("userId", "anonymousId", "context", "messageId", "timestamp", "sentAt", "writeKey")
"""Fields of every kind."""
