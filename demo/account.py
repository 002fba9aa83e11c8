"""The reckoning at the end: everything that must be true then, whoever waited for it or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

from demo.histories import History
from demo.inbox import Mail, repeats
from demo.site import Person, Travelling
from demo.tale import Missing
from demo.visitors import NURTURE, ONBOARDING, STAY_IN_TOUCH, Visitor, is_about, told_in

SOURCES = {"mail": "inbox, logs/worker.log", "person": "GET /v1/contacts", "travels": "GET /v1/enrollments"}


@dataclass(frozen=True)
class Expected:
    """What one visitor's way must have left behind."""

    score: int
    points: tuple[tuple[int, str], ...]
    tags: frozenset[str]
    mails: tuple[str, ...]
    journeys: tuple[tuple[str, str], ...]
    once: tuple[str, ...]
    """Events that are in the timeline one time, however often they were sent."""
    at_least_once: tuple[str, ...]
    sales: tuple[str, ...]


FOLLOWED_THROUGH = Expected(
    score=50,
    points=((20, "looked at pricing"), (30, "attended the demo")),
    tags=frozenset({"demo attended", "customer"}),
    mails=(
        "whitepaper/welcome", "demo/invitation", "demo/follow-up", "onboarding/welcome", "onboarding/first-steps",
    ),
    journeys=((NURTURE, "goal"), (ONBOARDING, "completed")),
    once=("Form Submitted", "Demo Attended", "Order Completed"),
    at_least_once=("Page Viewed", "Email Opened", "Email Link Clicked"),
    sales=("Looked at pricing after the whitepaper",),
)  # fmt: skip # one row of mails
IGNORED_EVERYTHING = Expected(
    score=0,
    points=(),
    tags=frozenset(),
    mails=("whitepaper/welcome", "demo/invitation", "stay-in-touch/news"),
    journeys=((NURTURE, "completed"), (STAY_IN_TOUCH, "completed")),
    once=("Form Submitted",),
    at_least_once=(),
    sales=(),
)


@dataclass(frozen=True)
class Seen:
    """What one visitor's way did leave behind."""

    visitor: Visitor
    person: Person | None
    travels: Sequence[Travelling]
    mails: Sequence[Mail]
    """All of the inbox, everybody's."""


def missing(seen: Seen, expected: Expected) -> Iterator[Missing]:
    """Everything about one visitor that is not as it should be."""
    who = seen.visitor.first_name
    if seen.person is None:
        yield Missing(f"{who} is a contact", "GET /v1/contacts, logs/api.log")
        return
    for source, what in _differences(seen, seen.person, expected):
        yield Missing(f"{who}: {what}", SOURCES[source])


def _differences(seen: Seen, person: Person, expected: Expected) -> Iterator[tuple[str, str]]:
    if person.email != seen.visitor.email:
        yield "person", "the form's address is on the contact"
    if person.consents.get("marketing") != "form:whitepaper":
        yield "person", "the form recorded consent to marketing"
    if person.score != expected.score:
        yield "person", f"the score is {expected.score} (it is {person.score})"
    if person.tags != expected.tags:
        yield "person", f"the tags are {sorted(expected.tags)} (they are {sorted(person.tags)})"
    yield from _story(person, expected)
    yield from _ways(seen.travels, expected)
    yield from _mails(seen, person, expected)


def _story(person: Person, expected: Expected) -> Iterator[tuple[str, str]]:
    """The timeline tells all of it."""
    scored = [said["properties"] for said in person.entries("change", name="Score Changed")]
    points = tuple((said["points"], said["reason"]) for said in scored)
    if points != expected.points:
        yield "person", f"the timeline has the points {expected.points} (it has {points})"
    for event in expected.once:
        count = len(person.entries("event", name=event))
        if count != 1:
            yield "person", f"the timeline has {event} once (it has it {count} times)"
    for event in expected.at_least_once:
        if not person.entries("event", name=event):
            yield "person", f"the timeline has {event}"
    told = tuple((said["journey"], said["state"]) for said in person.entries("enrollment"))
    if told != expected.journeys:
        yield "person", f"the timeline has the journeys {expected.journeys} (it has {told})"
    tags, consents = person.entries("change", name="Tag Added"), person.entries("consent")
    for what, found, count in (("tags added", tags, len(expected.tags)), ("consents", consents, 1)):
        if len(found) != count:
            yield "person", f"the timeline has {count} {what} (it has {len(found)})"


def _ways(travels: Sequence[Travelling], expected: Expected) -> Iterator[tuple[str, str]]:
    ways = tuple((one.journey, one.state) for one in travels)
    if ways != expected.journeys:
        yield "travels", f"the journeys are {expected.journeys} (they are {ways})"


def _mails(seen: Seen, person: Person, expected: Expected) -> Iterator[tuple[str, str]]:
    """By Message-ID: what the ledger calls sent is in the inbox, and nothing else is."""
    sent = {said["id"]: said for said in person.entries("message", audience="contact", state="sent")}
    mine = {mail.public_id for mail in seen.mails if mail.to == seen.visitor.email}
    templates = [said["template"] for said in sent.values()]
    arrived = [said["template"] for public_id, said in sent.items() if public_id in mine]
    for template in expected.mails:
        if templates.count(template) != 1:
            yield "person", f"{template} was sent once (the timeline says {templates.count(template)} times)"
        elif arrived.count(template) != 1:
            yield "mail", f"{template} is in the inbox"
    for template in sorted(set(templates) - set(expected.mails)):
        yield "person", f"{template} was not sent"
    if strangers := len(mine - sent.keys()):
        yield "mail", f"nothing else is in the inbox ({strangers} more mails are)"
    told = {mail.public_id: told_in(mail) for mail in seen.mails if is_about(mail, seen.visitor)}
    if len(told) != len(expected.sales):
        yield "mail", f"sales has {len(expected.sales)} mails about them (it has {len(told)})"
    for reason in expected.sales:
        if not any(reason in words for words in told.values()):
            yield "mail", f"sales is told “{reason}”"


def disturbed(person: Person, zone: ZoneInfo, quiet: tuple[time, time]) -> Iterator[Missing]:
    """Mails that went out while the person wanted to sleep, by journey time."""
    start, end = quiet
    for said in person.entries("message", audience="contact", state="sent"):
        local = said.at.astimezone(zone).time()
        asleep = start <= local < end if start < end else local >= start or local < end
        if asleep:
            yield Missing(f"{said['template']} waits for the morning (it went out at {local:%H:%M})", SOURCES["person"])


def twice(mails: Sequence[Mail], *, allowed: bool) -> Iterator[Missing]:
    """Mails that came more than once under one Message-ID."""
    for message_id, more in repeats(list(mails)).items():
        if not allowed:
            yield Missing(f"each mail comes once ({message_id} came {more + 1} times)", SOURCES["mail"])


def told_to_temporal(histories: Sequence[History], visitors: Sequence[Visitor]) -> Iterator[Missing]:
    """What must not, and what must, stand in the histories."""
    for history in histories:
        if history.status != "completed":
            yield Missing(f"{history.workflow_id} is completed in Temporal (it is {history.status})", "the Temporal UI")
        for visitor in visitors:
            for word in history.mentions(visitor.private):
                yield Missing(f"the history of {history.workflow_id} says nothing of “{word}”", "the Temporal UI")
