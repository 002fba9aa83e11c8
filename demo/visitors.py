"""The two visitors: one who does everything a marketer hopes for, one who ignores everything."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from demo.inbox import Inbox, Mail
from demo.site import Person, Site, Travelling
from demo.tale import Deadline, DidNotHappen, Mark, Missing, Tale, until

DAY = timedelta(days=1)
NURTURE, ONBOARDING, STAY_IN_TOUCH = "whitepaper-nurture", "onboarding", "stay-in-touch"


@dataclass
class Visitor:
    """Somebody at a browser. A day of their journeys takes `day` seconds."""

    first_name: str
    email: str
    company: str
    day: float
    timezone: str | None = None
    anonymous_id: str = field(default_factory=lambda: f"demo-{uuid.uuid4()}")
    began: float = 0.0

    @property
    def tempo(self) -> float:
        """How much faster than the wall clock their journeys run."""
        return DAY.total_seconds() / self.day

    @property
    def private(self) -> tuple[str, ...]:
        """What must not stand in any history."""
        return self.email, self.email.partition("@")[0], self.first_name, self.company


class Stage:
    """One visitor in front of the web app: what they can do, and what can be waited for."""

    def __init__(self, visitor: Visitor, site: Site, inbox: Inbox, tale: Tale, deadline: Deadline) -> None:
        self.visitor = visitor
        self._site = site
        self._inbox = inbox
        self._tale = tale
        self._deadline = deadline

    def tell(self, words: str, mark: Mark = "") -> None:
        """A line of this visitor's story."""
        day = (self._tale.seconds - self.visitor.began) / self.visitor.day
        self._tale.tell(self.visitor.first_name, words, day=day, mark=mark)

    # What they do

    async def arrive(self) -> None:
        """The web app introduces a test contact: a browser's anonymous id whose days are short."""
        await self._send("identify", context={"tabiji": {"tempo": self.visitor.tempo}})
        self.visitor.began = self._tale.seconds
        self.tell(f"is a test contact from here on: a day takes {self.visitor.day:g} s")

    async def fill_in_the_form(self) -> None:
        """Ask for the whitepaper, and agree to mails."""
        visitor = self.visitor
        filled = {"email": visitor.email, "first_name": visitor.first_name, "company": visitor.company}
        along = {"anonymous_id": visitor.anonymous_id, **({"timezone": visitor.timezone} if visitor.timezone else {})}
        await self._site.fill_in("whitepaper", filled, along)
        self.tell("fills in the form for the whitepaper, and agrees to mails", "did")
        if visitor.timezone:
            person = await self._site.person(visitor.anonymous_id)
            form = person.entries("event", name="Form Submitted") if person else []
            if form:
                self.tell(f"it is {form[0].at.astimezone(ZoneInfo(visitor.timezone)):%H:%M} in {visitor.timezone}")

    async def view(self, path: str) -> None:
        """Look at a page."""
        await self._send("page", properties={"path": path, "url": f"https://shop.example.com{path}"})
        self.tell(f"looks at {path}", "did")

    async def do(self, event: str, words: str, **properties: Any) -> None:
        """Something the web app tracks."""
        await self._send("track", event=event, properties=properties)
        self.tell(f"{words} ({event})", "did")

    async def open(self, mail: Mail) -> None:
        """Show the mail, pictures on."""
        await self._site.fetch(_there(mail.pixel, mail, "an open pixel"))
        self.tell(f"opens “{mail.subject}”", "did")

    async def click(self, mail: Mail) -> None:
        """Follow the first link as far as it leads through us."""
        target = await self._site.fetch(_there(mail.link, mail, "a tracked link"))
        if not target:
            raise DidNotHappen(Missing("a tracked link leads on to its target", "api/mails.py, logs/api.log"))
        self.tell(f"clicks the link in it, to {target}", "did")

    # What can be waited for

    async def mail(self, template: str) -> Mail:
        """The mail made of this template, in the inbox."""
        missing = self._missing(f"the mail {template} is in the inbox", "logs/worker.log, tabiji stuck")

        async def look() -> Mail | None:
            person = await self._site.person(self.visitor.anonymous_id)
            ids = {said["id"] for said in person.entries("message", template=template)} if person else set[str]()
            if not ids:
                return None
            return next((mail for mail in await self._inbox.mails(self.visitor.email) if mail.public_id in ids), None)

        mail = await until(self._deadline, missing, look)
        self.tell(f"has mail: “{mail.subject}” ({template})", "saw")
        return mail

    async def told(self, reason: str) -> Mail:
        """The mail that tells sales about this visitor."""
        missing = self._missing(f"sales is told “{reason}”", "logs/worker.log, tabiji stuck")

        async def look() -> Mail | None:
            mails = await self._inbox.mails()
            return next((mail for mail in mails if is_about(mail, self.visitor) and reason in told_in(mail)), None)

        mail = await until(self._deadline, missing, look)
        self.tell(f"sales is told: “{mail.subject}”", "saw")
        return mail

    async def listening(self, journey: str, event: str) -> None:
        """The journey waits for this event."""
        missing = self._missing(f"{journey} waits for {event}", "logs/worker.log, GET /v1/enrollments")

        async def look() -> Travelling | None:
            return next(
                (one for one in await self._travels() if one.journey == journey and one.listens_for(event)), None
            )

        await until(self._deadline, missing, look)
        self.tell(f"{journey} waits for {event}")

    async def ended(self, journey: str) -> Travelling:
        """The journey is over, however it ended."""
        missing = self._missing(f"{journey} ends", "logs/worker.log, GET /v1/enrollments, the Temporal UI")

        async def look() -> Travelling | None:
            return next(
                (one for one in await self._travels() if one.journey == journey and one.state != "running"), None
            )

        ended = await until(self._deadline, missing, look)
        self.tell(f"{journey} has ended: {ended.state}, {ended.reason}", "saw")
        return ended

    async def entered(self, journey: str) -> Travelling:
        """They are, or were, in that journey."""
        missing = self._missing(f"{journey} is entered", "logs/worker.log, GET /v1/enrollments")

        async def look() -> Travelling | None:
            return next((one for one in await self._travels() if one.journey == journey), None)

        entered = await until(self._deadline, missing, look)
        self.tell(f"enters {journey}", "saw")
        return entered

    async def _travels(self) -> list[Travelling]:
        person: Person | None = await self._site.person(self.visitor.anonymous_id)
        return await self._site.travels(person.id) if person else []

    async def _send(self, call: str, *, context: Mapping[str, Any] | None = None, **body: Any) -> None:
        zone = {"timezone": self.visitor.timezone} if self.visitor.timezone else {}
        now = datetime.now(UTC).isoformat()
        await self._site.send(
            call,
            {
                "anonymousId": self.visitor.anonymous_id,
                "context": {"library": {"name": "demo", "version": "1"}, **zone, **(context or {})},
                "timestamp": now,
                "sentAt": now,
                **body,
            },
        )

    def _missing(self, what: str, where: str) -> Missing:
        return Missing(f"{self.visitor.first_name}: {what}", where)


async def follow_through(stage: Stage) -> None:
    """The visitor everybody hopes for."""
    await stage.arrive()
    await stage.view("/whitepaper")
    await stage.fill_in_the_form()
    await stage.entered(NURTURE)
    welcome = await stage.mail("whitepaper/welcome")
    await stage.open(welcome)
    await stage.click(welcome)
    await stage.listening(NURTURE, "Page Viewed")
    await stage.view("/pricing")
    await stage.told("Looked at pricing after the whitepaper")
    await stage.open(await stage.mail("demo/invitation"))
    await stage.listening(NURTURE, "Demo Attended")
    await stage.do("Demo Attended", "attends the demo")
    await stage.open(await stage.mail("demo/follow-up"))
    await stage.do("Order Completed", "orders", order_id=f"o-{uuid.uuid4()}", total=4900, currency="JPY")
    await stage.ended(NURTURE)
    await stage.entered(ONBOARDING)
    await stage.open(await stage.mail("onboarding/welcome"))
    await stage.mail("onboarding/first-steps")
    await stage.ended(ONBOARDING)


async def ignore_everything(stage: Stage) -> None:
    """The visitor most people are."""
    await stage.arrive()
    await stage.fill_in_the_form()
    await stage.entered(NURTURE)
    await stage.mail("whitepaper/welcome")
    await stage.mail("demo/invitation")
    await stage.ended(NURTURE)
    await stage.entered(STAY_IN_TOUCH)
    await stage.mail("stay-in-touch/news")
    await stage.ended(STAY_IN_TOUCH)


def is_about(mail: Mail, visitor: Visitor) -> bool:
    """Whether a mail went to somebody else and speaks of this visitor."""
    return visitor.email not in mail.to and visitor.email in mail.text


def told_in(mail: Mail) -> str:
    """All words of a mail, on one line: mails wrap."""
    return " ".join(f"{mail.subject} {mail.text}".split())


def _there(link: str | None, mail: Mail, what: str) -> str:
    if link is None:
        raise DidNotHappen(Missing(f"“{mail.subject}” has {what}", "the mail's source in the inbox"))
    return link
