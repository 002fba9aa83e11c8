"""What became of a template's links: people, clicks and programs, by link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, case, distinct, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.message import Message
from models.reads.shapes import Shown
from models.touch import Touch
from models.touches import MACHINE, PERSON

MOST_LINKS = 500


class LinkShown(Shown):
    """One link of a template."""

    page: str = Field(description="where it leads, without its query")
    place: int | None = Field(description="which of the mail's links it is, from 1; null: a provider told of it")
    people: int = Field(description="who clicked it, each once")
    clicks: int = Field(description="by people, at most one a minute each")
    machines: int = Field(description="clicks by programs")
    last_at: datetime = Field(description="journey time of the latest click")


class LinkReport(Shown):
    """What became of the mails of a template. Test contacts do not count."""

    template: str
    sent: int
    opened: int = Field(description="mails a person has opened, as far as that can be told; clicked ones among them")
    clicked: int = Field(description="mails a person has clicked in")
    machines: int = Field(description="mails a program has opened or clicked in")
    links: list[LinkShown] = Field(description="that were clicked, those most people clicked first")


class TouchShown(Shown):
    """One open or click of a message."""

    what: str
    url: str | None
    place: int | None
    verdict: str
    why: str = Field(description="what says so; empty: nothing speaks against a person")
    source: str = Field(description="the provider that told of it; empty: seen by ourselves")
    at: datetime


async def link_report(
    tx: AsyncConnection, template: str, *, since: datetime | None = None, **where: object
) -> LinkReport | None:
    """The report; None where no mail was ever made from that template.

    Args:
        tx: Reads.
        template: Its name.
        since: Journey time of sending; None: of all time.
        where: Column of the message and value; None: any.
    """
    messages = table(Message)
    tests = _tests(template, since, where)
    counts = select(
        func.count().label("all"),
        func.count(case((messages.c.state.in_(("sent", "on_wire", "unknown")), 1))).label("sent"),
        func.count(messages.c.opened_at).label("opened"),
        func.count(messages.c.clicked_at).label("clicked"),
        func.count(messages.c.machine_at).label("machines"),
    )
    row = (await tx.execute(counts.where(*tests))).one()
    if not row.all:
        return None
    links = [LinkShown.model_validate(dict(found)) for found in (await tx.execute(_by_link(tests))).mappings()]
    return LinkReport(
        template=template, sent=row.sent, opened=row.opened, clicked=row.clicked, machines=row.machines, links=links
    )


async def touches_shown(tx: AsyncConnection, message: str) -> list[TouchShown] | None:
    """All that opened or clicked in a message, oldest first; None: there is no such message."""
    messages, rows = table(Message), table(Touch)
    if await tx.scalar(select(messages.c.key).where(messages.c.public_id == message)) is None:
        return None
    names = ("what", "url", "place", "verdict", "why", "source", "at")
    query = select(*(rows.c[name] for name in names)).where(rows.c.message == message)
    found = await tx.execute(query.order_by(rows.c.at, rows.c.key).limit(MOST_LINKS))
    return [TouchShown.model_validate(dict(row)) for row in found.mappings()]


def _tests(template: str, since: datetime | None, where: dict[str, object]) -> list[ColumnElement[bool]]:
    messages = table(Message)
    tests = [messages.c.template == template, messages.c.audience == "contact", messages.c.test.is_(False)]
    tests += [messages.c[name] == value for name, value in where.items() if value is not None]
    return [*tests, *([messages.c.at >= since] if since is not None else [])]


def _by_link(tests: list[ColumnElement[bool]]) -> Any:
    messages, rows = table(Message), table(Touch)
    people = case((rows.c.verdict == PERSON, rows.c.contact_id))
    who = func.count(distinct(people)).label("people")
    return (
        select(
            rows.c.page,
            rows.c.place,
            who,
            func.count(people).label("clicks"),
            func.count(case((rows.c.verdict == MACHINE, 1))).label("machines"),
            func.max(rows.c.at).label("last_at"),
        )
        .join(messages, messages.c.public_id == rows.c.message)
        .where(rows.c.template == messages.c.template, rows.c.what == "click", rows.c.page.is_not(None), *tests)
        .group_by(rows.c.page, rows.c.place)
        .order_by(who.desc(), rows.c.page, rows.c.place)
        .limit(MOST_LINKS)
    )
