"""What a simulation shows: the ways people took with their shares, the calendar of sends, the longest way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel

from tabiji.domain.durations import in_words
from tabiji.simulation.play import Life


class Way(BaseModel):
    """One way through, and who took it."""

    people: int
    share: float
    ending: str
    reason: str
    steps: tuple[str, ...]


class Sends(BaseModel):
    """Mails of one template on one day, counted from each person's own entry. The first day is 0."""

    day: int
    template: str
    mails: int


class Sent(BaseModel):
    """One mail somebody would have got."""

    contact: str
    at: datetime
    template: str
    journey: str


class Longest(BaseModel):
    """The way that took the most time."""

    contact: str
    took: timedelta
    steps: tuple[str, ...]


class Report(BaseModel):
    """All of it. As JSON, durations are ISO 8601."""

    people: int
    ended: int
    under_way: int
    waiting_for_ever: tuple[str, ...]
    ways: tuple[Way, ...]
    calendar: tuple[Sends, ...]
    most_mails: int
    longest: Longest | None
    mails: tuple[Sent, ...] = ()


def report(lives: Sequence[Life], *, each_mail: bool = False) -> Report:
    """Count. `each_mail` lists who would have got what, when."""
    ended = [life for life in lives if life.outcome is not None]
    ways = Counter((life.outcome.ending.value, life.outcome.reason, life.path) for life in ended if life.outcome)
    sends = Counter(((mail.at - life.entered_at).days, mail.template) for life in lives for mail in life.mails)
    slowest = max(ended, key=lambda life: life.took, default=None)
    return Report(
        people=len(lives),
        ended=len(ended),
        under_way=len(lives) - len(ended),
        waiting_for_ever=tuple(sorted({life.stuck_at for life in lives if life.stuck_at is not None})),
        ways=tuple(
            Way(people=people, share=people / len(lives), ending=ending, reason=reason, steps=steps)
            for (ending, reason, steps), people in sorted(ways.items(), key=lambda way: (-way[1], way[0]))
        ),
        calendar=tuple(
            Sends(day=day, template=template, mails=mails) for (day, template), mails in sorted(sends.items())
        ),
        most_mails=max((len(life.mails) for life in lives), default=0),
        longest=Longest(contact=slowest.contact, took=slowest.took, steps=slowest.path) if slowest else None,
        mails=tuple(
            Sent(contact=life.contact, at=mail.at, template=mail.template, journey=life.journey)
            for life in lives
            for mail in life.mails
        )
        if each_mail
        else (),
    )


def in_lines(found: Report, *, ways: int = 10) -> list[str]:
    """For a terminal."""
    lines = [f"{found.people} {'person' if found.people == 1 else 'people'}, {found.ended} through"]
    if found.under_way:
        lines.append(f"{found.under_way} still under way at the end of the time that was played")
    lines += [f"waiting for ever: {words}" for words in found.waiting_for_ever]
    for way in found.ways[:ways]:
        lines += ["", f"{way.share:6.1%}  {way.people} people: {way.ending}, {way.reason}"]
        lines += [f"          {step}" for step in way.steps]
    if len(found.ways) > ways:
        rest = sum(way.people for way in found.ways[ways:])
        lines += ["", f"{rest / found.people:6.1%}  {rest} people on {len(found.ways) - ways} other ways"]
    if found.calendar:
        lines += ["", "mails by day after entering"]
        lines += [f"  day {sends.day:3}  {sends.mails:5}  {sends.template}" for sends in found.calendar]
        lines.append(f"at most {found.most_mails} {'mail' if found.most_mails == 1 else 'mails'} to one person")
    if found.longest is not None:
        lines += ["", f"longest: {found.longest.contact}, {_time(found.longest.took)}"]
        lines += [f"          {step}" for step in found.longest.steps]
    if found.mails:
        lines += ["", "who would have got what"]
        lines += [
            f"  {mail.at:%Y-%m-%d %H:%M}  {mail.contact}  {mail.template}  ({mail.journey})" for mail in found.mails
        ]
    return lines


def _time(took: timedelta) -> str:
    return in_words(took) if took >= timedelta(seconds=1) else "no time at all"
