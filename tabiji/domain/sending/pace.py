"""When a message may go out: quiet hours, quiet days, holidays, and how much is enough.

Each rule answers one question: from this moment on, when is the first at which I let it pass? They are asked in turn
until none of them moves the answer any more. So it is the earliest moment at which all of them agree.

Caps leave room by these rules:

* Messages that were sent, are being sent or may have been count, of all channels and journeys together.
* A message of higher priority that is held back counts for the lower one as if it had gone out at its moment. Once
  that moment is `PATIENCE` ago it counts by what has become of it, and no longer by what it was to be.
* The last room under a cap is not given away within `PATIENCE` of a message's own moment while the person is in a
  journey of higher priority: what is due there at the same moment may come a little later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from tabiji.domain.caps import Cap
from tabiji.domain.holidays import holiday
from tabiji.domain.orders import SendOutcome
from tabiji.domain.quiet import allowed_from, next_day_from
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Past, Standing, Waiting

PATIENCE = timedelta(minutes=1)
"""Journey time. What is due at one moment is asked for within this time; it also passes where `delay` is zero."""
QUIET_HOURS, QUIET_DAY, HOLIDAY, CAP, PRIORITY = "quiet hours", "quiet day", "holiday", "cap", "priority"
EVERY_DAY = 7
_WORDS = 180

From = Callable[[datetime], datetime]
"""The first moment from this one on at which a rule lets a message pass."""


@dataclass(frozen=True)
class _Rule:
    says: str
    allowed_from: From


def in_time(standing: Standing, asked: Asked, house: House) -> SendOutcome | None:
    """Now, or the first moment at which all rules of time let it pass; refused where that is too late."""
    if house.topics.is_transactional(asked.topic):
        return None
    if len(house.quiet_days) == EVERY_DAY:
        return SendOutcome(state="refused", reason="too late: every day of the week is quiet")
    latest = asked.first_at + max(asked.delay, timedelta(0))
    allowed, reasons = _first(list(_rules(standing, asked, house)), asked.at, max(latest, asked.at + PATIENCE))
    if allowed <= asked.at:
        return None
    reason = " and ".join(reasons)[:_WORDS]
    # To let another go first takes a moment, which is no delay its author can have meant.
    if allowed > latest and not (reasons == [PRIORITY] and allowed <= asked.at + PATIENCE):
        return SendOutcome(state="refused", reason=f"too late: {reason}")
    return SendOutcome(state="deferred", until=allowed, reason=reason)


def _first(rules: list[_Rule], at: datetime, horizon: datetime) -> tuple[datetime, list[str]]:
    """The earliest moment that all rules let pass, and which of them had a say. Beyond the horizon it is not sought."""
    reasons: list[str] = []
    agreed = 0
    while agreed < len(rules) and at <= horizon:
        agreed = 0
        for rule in rules:
            moved = rule.allowed_from(at)
            agreed += moved <= at
            if moved > at:
                at = moved
                reasons += [] if rule.says in reasons else [rule.says]
    return at, reasons


def _rules(standing: Standing, asked: Asked, house: House) -> Iterator[_Rule]:
    zone = standing.zone or house.zone
    quiet = house.quiet
    if quiet is not None:
        yield _Rule(QUIET_HOURS, lambda at: allowed_from(at, zone, quiet))
    if house.quiet_days:
        yield _Rule(QUIET_DAY, _days(zone, lambda day: day.weekday() in house.quiet_days))
    country = (standing.country or house.country) if house.holidays else None
    if country is not None:
        yield _Rule(HOLIDAY, _days(zone, lambda day: holiday(day, country) is not None))
    for cap in house.caps.overall:
        yield from _cap(standing, asked, cap, None)
    for cap in house.caps.by_topic.get(asked.topic, ()):
        yield from _cap(standing, asked, cap, asked.topic)


def _days(zone: tzinfo, is_quiet_day: Callable[[date], bool]) -> From:
    return lambda at: next_day_from(at, zone, is_quiet_day)


def _cap(standing: Standing, asked: Asked, cap: Cap, topic: str | None) -> Iterator[_Rule]:

    def bears(one: Past | Waiting) -> bool:
        return topic in {None, one.topic} and one.test == asked.test

    past = [one.at for one in standing.past if bears(one) and not (asked.key and one.key == asked.key)]
    says = f"{CAP}: {cap}" if topic is None else f"{CAP}: {cap} on {topic}"
    yield _Rule(says, lambda at: cap.free_from(past, at))
    higher = [one.at for one in standing.waiting if bears(one) and one.priority > asked.priority]
    if higher:
        yield _Rule(PRIORITY, _behind(cap, past, higher))
    due_at = asked.due_at or asked.first_at
    if standing.ahead is not None and standing.ahead > asked.priority and asked.at < due_at + PATIENCE:
        yield _Rule(PRIORITY, _after_a_moment(cap, past, due_at + PATIENCE))


def _behind(cap: Cap, past: list[datetime], higher: list[datetime]) -> From:
    """Leaves room for what is held back: it will be decided a little after its moment, and then counts as it is."""

    def allowed(at: datetime) -> datetime:
        due = [one for one in higher if at < one + PATIENCE and one - at < cap.within]
        if not due or cap.taken(past, at) + len(due) < cap.most:
            return at
        freed = [one + cap.within for one in past if one + cap.within > at]
        return min([one + PATIENCE for one in due] + freed)

    return allowed


def _after_a_moment(cap: Cap, past: list[datetime], until: datetime) -> From:
    """Does not take the last room before `until`."""

    def allowed(at: datetime) -> datetime:
        if at >= until or cap.taken(past, at) + 1 < cap.most:
            return at
        return min([until, *(one + cap.within for one in past if one + cap.within > at)])

    return allowed
