"""What came in, after it was found valid and before it is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

NOBODY = "-"
"""As an item's `enrollment_id`: history, such as what is imported. It is stored, counts in segments and reports, and
starts and wakes nobody: neither the item nor what it changes, neither now nor when somebody looks back."""

IMPORTED = "import"
"""Kind of an item that is a line of a file. Where it is history, too, what it changes is not told at all: the line
stands for it, or a hundred thousand people would leave a million facts nobody hears."""


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """A decision about one topic, with its proof.

    Attributes:
        source: Where it was made: `form:whitepaper`, `unsubscribe-link`.
        wording: What was read, and its `version`.
        purpose: What they were told the topic is for, and the version of that.
        network: The address it came from without its end: enough for a proof, too little to know a device by.
        user_agent: What they decided with.
        confirmed: False: asked for by who may not be the address's owner, and of no effect before it confirms.
        address: The decision came by a link that was sent there, and goes where that address goes.
    """

    topic: str
    given: bool = True
    source: str = ""
    wording: str | None = None
    version: str | None = None
    purpose: str | None = None
    purpose_version: str | None = None
    network: str | None = None
    user_agent: str | None = None
    confirmed: bool = True
    address: str | None = None


@dataclass(frozen=True, slots=True)
class GroupSaid:
    """The account somebody belongs to, and what is known of it."""

    account_id: str
    traits: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class TouchMade:
    """An open or a click, and who made it.

    Attributes:
        message: The mail's public id.
        template: It was made of.
        what: open or click.
        url: Where the link leads.
        place: Which of the mail's links it is, from 1.
        verdict: person, machine or doubtful.
        why: What says so.
        source: A provider's name, where it was told and not seen.
        settled: It was doubtful, and is not any more.
    """

    message: str
    template: str
    what: str
    url: str | None = None
    place: int | None = None
    verdict: str = "person"
    why: str = ""
    source: str = ""
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing somebody did.

    Attributes:
        kind: track, page, screen, identify, group, alias, form, mail, manual …
        name: Of the event as it is recorded.
        message_id: Makes a second arrival harmless.
        at: Journey time, corrected by the difference between the client's clock and ours.
        previous_id: An `alias`: this id, of whatever kind, is the same person as `user_id`.
        group: A `group`: makes the account and the membership.
        trusted: Sent by who may say for others who they are. What a browser says of identities counts from when it
            arrived, and never takes an address that leads to somebody else, nor changes one that is known.
        enrollment_id: Only this enrollment hears of it; `NOBODY`: none does.
        touch: Of an `Email Opened` or `Email Link Clicked`.
        tempo: Makes the contact a test contact.
    """

    kind: str
    name: str
    message_id: str
    at: datetime
    properties: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    context: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    user_id: str | None = None
    anonymous_id: str | None = None
    email: str | None = None
    contact_id: UUID | None = None
    previous_id: str | None = None
    traits: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    group: GroupSaid | None = None
    consent: ConsentGiven | None = None
    touch: TouchMade | None = None
    enrollment_id: str | None = None
    tempo: float | None = None
    trusted: bool = True
