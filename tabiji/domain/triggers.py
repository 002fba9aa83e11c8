"""What can start a journey, in the words authors use. Each is an event that the house itself records.

    form("whitepaper")                     sent our form of that name
    page("/pricing")                       looked at that page
    tag_added("vip")                       got a tag; tag_removed
    joined("newsletter")                   came onto a list; left
    segment_entered("hot")                 began to match a segment; segment_left
    score_reached(50)                      the score rose to it; score_fell_below
    stage_reached("mql")                   came to a stage of its life
    attribute_changed("plan", to="pro")    an attribute has another value than before
    mail_opened("demo/invitation")         opened a mail made from that template; mail_clicked, mail_replied

They are conditions like every other: a wait, a goal or an exit takes them too. A journey without a trigger is entered
by the API and by other journeys alone.
"""

from __future__ import annotations

from types import EllipsisType

from pydantic import JsonValue

from tabiji.domain.conditions import Condition, on
from tabiji.domain.tests import Equals, Test, prop


def form(name: str, *tests: Test, take: tuple[str, ...] = ()) -> Condition:
    """Sent the form of this name."""
    return on("Form Submitted", *tests, take=take, form=_named(name, "form", "whitepaper"))


def page(path: str, *tests: Test, take: tuple[str, ...] = ()) -> Condition:
    """Looked at the page at this path, e.g. ``/pricing``."""
    return on("Page Viewed", *tests, take=take, path=_named(path, "page", "/pricing"))


def tag_added(tag: str) -> Condition:
    """Got a tag they did not have."""
    return on("Tag Added", tag=_named(tag, "tag_added", "vip"))


def tag_removed(tag: str) -> Condition:
    """Lost a tag they had."""
    return on("Tag Removed", tag=_named(tag, "tag_removed", "vip"))


def joined(list_name: str) -> Condition:
    """Came onto a list."""
    return on("List Joined", list=_named(list_name, "joined", "newsletter"))


def left(list_name: str) -> Condition:
    """Came off a list."""
    return on("List Left", list=_named(list_name, "left", "newsletter"))


def segment_entered(segment: str) -> Condition:
    """Began to match a segment."""
    return on("Segment Entered", segment=_named(segment, "segment_entered", "hot"))


def segment_left(segment: str) -> Condition:
    """No longer matches a segment."""
    return on("Segment Left", segment=_named(segment, "segment_left", "hot"))


def score_reached(points: int) -> Condition:
    """The score rose to this or beyond, from below it."""
    return on("Score Changed", prop("before") < points, prop("after") >= points)


def score_fell_below(points: int) -> Condition:
    """The score sank below this, from it or above."""
    return on("Score Changed", prop("before") >= points, prop("after") < points)


def stage_reached(stage: str) -> Condition:
    """Came to a stage, from whichever other."""
    return on("Stage Changed", after=_named(stage, "stage_reached", "mql"))


def attribute_changed(name: str, *, to: JsonValue | EllipsisType = ..., take: tuple[str, ...] = ()) -> Condition:
    """An attribute has another value than before.

    Args:
        name: Of the attribute.
        to: The value it must have now; any where not given.
        take: `before` and `after` are there to be taken.
    """
    wanted = () if isinstance(to, EllipsisType) else (Equals(path="after", value=to),)
    return on("Attribute Changed", *wanted, take=take, name=_named(name, "attribute_changed", "plan"))


def mail_opened(template: str | None = None) -> Condition:
    """Opened a mail; with `template`, one made from it. For one particular mail say `self.opened(mail)`."""
    return _mail("Email Opened", template)


def mail_clicked(template: str | None = None, *tests: Test, take: tuple[str, ...] = ()) -> Condition:
    """Clicked a link in a mail; which one is the property `url`."""
    return _mail("Email Link Clicked", template, *tests, take=take)


def mail_replied(template: str | None = None) -> Condition:
    """Answered a mail."""
    return _mail("Email Replied", template)


def _mail(event: str, template: str | None, *tests: Test, take: tuple[str, ...] = ()) -> Condition:
    of = () if template is None else (Equals(path="template", value=template),)
    return on(event, *of, *tests, take=take)


def _named(name: str, what: str, example: str) -> str:
    if not name.strip():
        raise ValueError(f"{what}() takes a name, e.g. {what}({example!r})")
    return name
