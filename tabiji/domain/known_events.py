"""Events everybody has: what web apps and forms send by our own names, what mails report, and what changes.

Triggers such as `tag_added` ask for these.
"""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from tabiji.domain.events import Event


class PageViewed(
    Event, name="Page Viewed", open=True, example={"path": "/pricing", "url": "https://shop.example.com/pricing"}
):
    """Somebody looked at a page: every `page` call."""

    path: str | None
    url: str | None
    title: str | None
    referrer: str | None
    name: str | None
    category: str | None


class PageLeft(
    Event,
    name="Page Left",
    open=True,
    example={"path": "/pricing", "url": "https://shop.example.com/pricing", "seconds": 42, "depth": 80},
):
    """Somebody left a page: how long they saw it, and how far down. One for each `Page Viewed` of our script."""

    path: str | None
    url: str | None
    title: str | None
    seconds: int
    """For which the page was in front of them."""
    depth: int
    """Per cent of the page's height they have seen."""


class OutboundLinkClicked(
    Event,
    name="Outbound Link Clicked",
    open=True,
    example={"url": "https://partner.example.com/offer", "host": "partner.example.com", "text": "Our partner"},
):
    """Somebody followed a link from a page to another site."""

    url: str
    host: str | None
    text: str | None


class FileDownloaded(
    Event,
    name="File Downloaded",
    open=True,
    example={"url": "https://shop.example.com/files/prices.pdf", "file": "prices.pdf", "extension": "pdf"},
):
    """Somebody followed a link to a file."""

    url: str
    file: str | None
    extension: str | None
    text: str | None


class VisitorRecognized(
    Event,
    name="Visitor Recognized",
    open=True,
    example={"template": "demo/invitation", "message": "0190"},
):
    """A visitor came to one of our own sites by a link in a mail: their visit belongs to whom the mail went to."""

    template: str | None
    message: str | None


class Identified(Event, name="Identified", open=True):
    """A web app said who somebody is: every `identify` call."""


class ScreenViewed(Event, name="Screen Viewed", open=True, example={"name": "Pricing"}):
    """Somebody looked at a screen of an app: every `screen` call."""

    name: str | None
    category: str | None


class GroupIdentified(Event, name="Group Identified", open=True, example={"group_id": "example-kk"}):
    """A web app said which account somebody belongs to: every `group` call."""

    group_id: str


class Aliased(Event, name="Aliased", open=True, example={"previous_id": "u-900"}):
    """A web app said that an earlier id is the same person: every `alias` call."""

    previous_id: str


class FormSubmitted(Event, name="Form Submitted", open=True, example={"form": "whitepaper"}):
    """Somebody sent one of our forms."""

    form: str


class EmailOpened(Event, name="Email Opened", open=True, example={"template": "demo/invitation", "message": "0190"}):
    """Somebody opened a mail."""

    template: str | None
    message: str | None
    machine: bool | None
    """true: a program did. Conditions leave those out, unless they test it."""


class EmailLinkClicked(
    Event,
    name="Email Link Clicked",
    open=True,
    example={"template": "demo/invitation", "message": "0190", "url": "https://shop.example.com/demo"},
):
    """Somebody clicked a link in a mail."""

    url: str
    template: str | None
    message: str | None
    machine: bool | None
    """true: a program did. Conditions leave those out, unless they test it."""


class EmailReplied(Event, name="Email Replied", open=True, example={"template": "demo/invitation", "message": "0190"}):
    """Somebody answered a mail."""

    template: str | None
    message: str | None


class EmailAnsweredByItself(
    Event, name="Email Auto-Replied", open=True, example={"template": "demo/invitation", "message": "0190"}
):
    """A program answered a mail: they are away, or want a proof that a person wrote."""

    template: str | None
    message: str | None


class EmailBounced(
    Event,
    name="Email Bounced",
    open=True,
    example={"template": "demo/invitation", "message": "0190", "kind": "hard_bounce", "bounce": "hard"},
):
    """A mail came back, or was refused for good."""

    template: str | None
    message: str | None
    kind: str
    """hard_bounce, mailbox_full, policy, content or other."""
    bounce: str
    """hard: the address does not exist; soft: it may be written to again; blocked: it was not about the address."""


class EmailMarkedAsSpam(
    Event, name="Email Marked as Spam", open=True, example={"template": "demo/invitation", "message": "0190"}
):
    """Somebody told their provider that a mail of ours is spam."""

    template: str | None
    message: str | None


class Unsubscribed(Event, name="Unsubscribed", open=True, example={"topic": "marketing"}):
    """Somebody took their consent to a topic back."""

    topic: str | None


class ConsentGiven(Event, name="Consent Given", open=True, example={"topic": "marketing", "source": "form:whitepaper"}):
    """Somebody agreed to hear from us about a topic."""

    topic: str
    source: str | None


class ConsentRequested(
    Event, name="Consent Requested", open=True, example={"topic": "newsletter", "source": "form:newsletter"}
):
    """Somebody asked, in the name of an address, for a topic that the address has to confirm first."""

    topic: str
    source: str | None


class PreferencesRequested(Event, name="Preferences Requested", open=True):
    """Somebody asked for a new link to the page with their choices; theirs has expired."""


class ConsentWithdrawn(Event, name="Consent Withdrawn", open=True, example={"topic": "marketing", "source": "phone"}):
    """Somebody took their consent to a topic back, and somebody noted it."""

    topic: str
    source: str | None


class ContactErased(Event, name="Contact Erased", open=True):
    """Somebody asked to be forgotten, and was."""


class ContactImported(
    Event,
    name="Contact Imported",
    open=True,
    example={"import": "0190f7d2-8c1e-7c3a-9b1f-3c5a0d8e7f21", "file": "fair.csv", "line": 2},
):
    """A line of a file was taken in as somebody: their history has it, and journeys start on it where asked to."""

    file: str
    line: int


class DuplicateMerged(Event, name="Duplicate Merged", open=True):
    """Somebody has said that two contacts are one person."""


class TagAdded(Event, name="Tag Added", open=True, example={"tag": "vip"}):
    """A contact got a tag they did not have."""

    tag: str


class TagRemoved(Event, name="Tag Removed", open=True, example={"tag": "vip"}):
    """A contact lost a tag they had."""

    tag: str


class ListJoined(Event, name="List Joined", open=True, example={"list": "newsletter"}):
    """A contact came onto a list."""

    list: str


class ListLeft(Event, name="List Left", open=True, example={"list": "newsletter"}):
    """A contact came off a list."""

    list: str


class AttributeChanged(
    Event, name="Attribute Changed", open=True, example={"name": "plan", "before": "free", "after": "pro"}
):
    """An attribute has another value than before. Very long values are left out."""

    name: str
    before: JsonValue = None
    after: JsonValue = None


class ContactMerged(
    Event, name="Contact Merged", open=True, example={"contact": "0199d5a0-0000-7000-8000-000000000000"}
):
    """Another contact turned out to be this one. What was theirs is this one's now."""

    contact: str


class ScoreChanged(
    Event,
    name="Score Changed",
    open=True,
    example={"before": 40, "after": 60, "points": 20, "reason": "looked at pricing"},
):
    """Points were added or taken away."""

    before: int
    after: int
    points: int | None
    reason: str | None


class StageChanged(Event, name="Stage Changed", open=True, example={"before": "lead", "after": "mql"}):
    """A contact came to another stage of its life."""

    before: str | None
    after: str


class TaskDone(
    Event, name="Task Done", open=True, example={"task": "0190", "title": "Call them", "who": "sales", "by": "yuki"}
):
    """Somebody in the team did what a journey asked for."""

    task: str
    title: str | None
    who: str | None
    by: str | None


class SegmentEntered(Event, name="Segment Entered", open=True, example={"segment": "hot"}):
    """A contact began to match a segment."""

    segment: str


class SegmentLeft(Event, name="Segment Left", open=True, example={"segment": "hot"}):
    """A contact no longer matches a segment."""

    segment: str


class JourneyEnded(
    Event,
    name="Journey Ended",
    open=True,
    example={"journey": "onboarding", "enrollment": "onboarding/0190/1", "ending": "completed"},
):
    """A contact is out of a journey somebody waits for."""

    journey: str
    enrollment: str
    ending: str
    reason: str | None


class ApprovalAnswered(
    Event, name="Approval Answered", open=True, example={"approval": "0190", "approved": True, "by": "yuki"}
):
    """Somebody in the team answered a journey's question."""

    approval: str
    approved: bool
    by: str | None
    note: str | None


BUILT_IN: Final[tuple[type[Event], ...]] = (
    ApprovalAnswered,
    AttributeChanged,
    ConsentGiven,
    ConsentRequested,
    ConsentWithdrawn,
    PreferencesRequested,
    ContactErased,
    ContactImported,
    DuplicateMerged,
    EmailAnsweredByItself,
    EmailBounced,
    EmailLinkClicked,
    EmailMarkedAsSpam,
    EmailOpened,
    EmailReplied,
    FileDownloaded,
    FormSubmitted,
    Identified,
    ScreenViewed,
    GroupIdentified,
    Aliased,
    JourneyEnded,
    ListJoined,
    ListLeft,
    OutboundLinkClicked,
    PageLeft,
    PageViewed,
    ScoreChanged,
    SegmentEntered,
    SegmentLeft,
    StageChanged,
    TagAdded,
    TagRemoved,
    TaskDone,
    Unsubscribed,
    VisitorRecognized,
)
