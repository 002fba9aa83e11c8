"""When a message may go out, held against a count of every single minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabiji.domain.caps import Cap, Caps
from tabiji.domain.orders import SendOutcome
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.house import House
from tabiji.domain.sending.pace import PATIENCE, in_time
from tabiji.domain.sending.standing import Past, Standing, Waiting
from tabiji.domain.topics import Topic, Topics
from tabiji.errors import JourneyDefinitionError

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)  # a Tuesday
ZONES = (
    "UTC", "Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York", "Europe/London",
    "America/Havana", "America/Asuncion", "Africa/Casablanca", "Pacific/Apia", "America/St_Johns",
)  # fmt: skip # one list
TURNS = (
    (2026, 3, 8), (2026, 3, 29), (2026, 10, 25), (2026, 11, 1), (2026, 4, 5), (2026, 10, 4), (2026, 2, 15),
    (2028, 2, 28), (2028, 2, 29), (2026, 12, 31), (2011, 12, 29),
)  # fmt: skip # nights in which clocks change, 29 February, the turn of a year, the day Samoa has left out


def house(**given: object) -> House:
    return House(**({"zone": ZoneInfo("UTC")} | given))  # type: ignore[arg-type] # whatever the test says


def asks(at: datetime = NOON, topic: str = "marketing", **given: object) -> Asked:
    return Asked(**({"topic": topic, "at": at, "first_at": at} | given))  # type: ignore[arg-type] # see above


def someone(*past: datetime, **given: object) -> Standing:
    return Standing(address="a@example.com", past=tuple(Past(at, "marketing") for at in past), **given)  # type: ignore[arg-type] # see above


def put_off(found: SendOutcome | None) -> datetime:
    assert found is not None
    assert found.state == "deferred", found
    assert found.until is not None
    return found.until


# One rule at a time


def test_the_third_of_the_day_waits_until_the_first_is_a_day_old() -> None:
    rules = house(caps=Caps.parse("2 per 1d"))
    found = in_time(someone(NOON - 20 * HOUR, NOON - HOUR), asks(), rules)
    assert found == SendOutcome(state="deferred", until=NOON + 4 * HOUR, reason="cap: 2 per 1 day")
    assert in_time(someone(NOON - 24 * HOUR, NOON - HOUR), asks(), rules) is None


def test_a_cap_on_a_topic_counts_that_topic_alone() -> None:
    rules = house(caps=Caps.parse("newsletter: 1 per 7d"))
    got = Standing(address="a", past=(Past(NOON - HOUR, "newsletter"),))
    assert in_time(got, asks(topic="offers"), rules) is None
    found = in_time(got, asks(topic="newsletter", delay=8 * DAY), rules)
    assert put_off(found) == NOON - HOUR + 7 * DAY
    assert found is not None
    assert found.reason == "cap: 1 per 7 days on newsletter"


def test_transactional_mail_is_held_by_nothing() -> None:
    rules = house(caps=Caps.parse("1 per 1d"), quiet=(time(0), time(23)), quiet_days=frozenset(range(6)), holidays=True)
    assert in_time(someone(NOON), asks(topic="transactional"), rules) is None


def test_what_it_has_been_itself_in_an_earlier_attempt_is_not_counted() -> None:
    mine = Standing(address="a", past=(Past(NOON, "marketing", key="me"),))
    rules = house(caps=Caps.parse("1 per 1d"))
    assert in_time(mine, asks(key="me"), rules) is None
    assert in_time(mine, asks(key="other"), rules) is not None


def test_a_weekend_is_passed_over_to_the_first_hour_that_is_not_quiet() -> None:
    rules = house(quiet=(time(20), time(9)), quiet_days=frozenset({5, 6}), zone=ZoneInfo("Asia/Tokyo"))
    friday_evening = datetime(2026, 3, 6, 21, tzinfo=ZoneInfo("Asia/Tokyo"))
    found = in_time(someone(), asks(friday_evening, delay=3 * DAY), rules)
    assert put_off(found) == datetime(2026, 3, 9, 9, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert found is not None
    assert found.reason == "quiet hours and quiet day"


@pytest.mark.parametrize(
    ("country", "until"),
    [("JP", datetime(2026, 5, 7, tzinfo=UTC)), ("US", None), ("XX", None), (None, datetime(2026, 5, 5, tzinfo=UTC))],
)
def test_holidays_are_those_of_the_persons_country(country: str | None, until: datetime | None) -> None:
    """Golden Week 2026: the third to the sixth of May. Without a country the house's counts: the United Kingdom's."""
    rules = house(holidays=True, country="GB")
    found = in_time(someone(country=country), asks(datetime(2026, 5, 4, 10, tzinfo=UTC), delay=5 * DAY), rules)
    assert (None if found is None else found.until) == until


# Too late


def test_what_is_held_back_for_longer_than_its_author_lets_it_is_dropped_with_the_reason() -> None:
    rules = house(caps=Caps.parse("1 per 7d"))
    found = in_time(someone(NOON - HOUR), asks(), rules)
    assert found == SendOutcome(state="refused", reason="too late: cap: 1 per 7 days")
    assert in_time(someone(NOON - HOUR), asks(delay=7 * DAY), rules) is not None
    now_or_never = in_time(someone(), asks(delay=timedelta(0)), house(quiet=(time(11), time(12, 1))))
    assert now_or_never == SendOutcome(state="refused", reason="too late: quiet hours")


def test_where_every_day_is_quiet_the_reason_says_so() -> None:
    found = in_time(someone(), asks(delay=31 * DAY), house(quiet_days=frozenset(range(7))))
    assert found == SendOutcome(state="refused", reason="too late: every day of the week is quiet")


def test_the_delay_counts_from_when_it_was_asked_for_first() -> None:
    rules = house(quiet=(time(11), time(13)))
    assert in_time(someone(), asks(first_at=NOON - 23 * HOUR), rules) == SendOutcome(
        state="deferred", until=NOON + HOUR, reason="quiet hours"
    )
    assert in_time(someone(), asks(first_at=NOON - 24 * HOUR), rules) == SendOutcome(
        state="refused", reason="too late: quiet hours"
    )


# Priority

ONE_A_DAY = Caps.parse("1 per 1d")


def test_one_that_is_held_back_keeps_its_room_from_a_lower_one() -> None:
    """At its moment it is decided; a little later the lower one is decided by what has become of it."""
    tomorrow = Standing(address="a", waiting=(Waiting(NOON + 10 * HOUR, "marketing", 5),))
    rules = house(caps=ONE_A_DAY)
    found = in_time(tomorrow, asks(priority=1), rules)
    assert put_off(found) == NOON + 10 * HOUR + PATIENCE
    for priority in (5, 9):
        assert in_time(tomorrow, asks(priority=priority), rules) is None


def test_where_there_is_room_for_both_nobody_waits() -> None:
    held = Standing(address="a", waiting=(Waiting(NOON + HOUR, "marketing", 5),))
    assert in_time(held, asks(), house(caps=Caps.parse("2 per 1d"))) is None
    assert in_time(held, asks(topic="other"), house(caps=Caps.parse("marketing: 1 per 1d"))) is None


def test_one_that_was_due_and_never_came_holds_nobody_up() -> None:
    stuck = Standing(address="a", waiting=(Waiting(NOON - HOUR, "marketing", 5),))
    assert in_time(stuck, asks(), house(caps=ONE_A_DAY)) is None


def test_the_last_room_waits_a_moment_for_a_journey_of_higher_priority() -> None:
    rules, in_both = house(caps=ONE_A_DAY), someone(ahead=5)
    first = in_time(in_both, asks(), rules)
    assert put_off(first) == NOON + PATIENCE
    assert in_time(in_both, asks(NOON + PATIENCE, first_at=NOON, due_at=NOON), rules) is None
    assert in_time(in_both, asks(priority=5), rules) is None
    assert in_time(in_both, asks(), house(caps=Caps.parse("2 per 1d"))) is None
    assert put_off(in_time(in_both, asks(delay=timedelta(0)), rules)) == NOON + PATIENCE, "a moment is no delay"


# All together, against every minute

clock = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 59)))
windows = st.none() | st.tuples(clock, clock)
topics = st.sampled_from(("marketing", "news"))


def near(turn: tuple[int, int, int], minutes: int) -> datetime:
    return datetime(*turn, tzinfo=UTC) + minutes * MINUTE


moments = st.builds(near, st.sampled_from(TURNS), st.integers(-1440, 2880))
caps = st.lists(st.builds(Cap, st.integers(1, 3), st.sampled_from((HOUR, 5 * HOUR, DAY, 2 * DAY))), max_size=2)
ago = st.integers(-1, 60 * 50)
ahead = st.integers(-3, 60 * 30)


def may_go(at: datetime, zone: ZoneInfo, rules: House, who: Standing, asked: Asked) -> bool:
    """The rules once more, each as one says it."""
    wall = at.astimezone(zone)
    if rules.quiet is not None:
        start, end = rules.quiet
        inside = start <= wall.time() < end if start <= end else not end <= wall.time() < start
        if inside:
            return False
    if wall.weekday() in rules.quiet_days:
        return False
    if rules.holidays and wall.date() in GERMAN:
        return False
    for cap, topic in [(cap, None) for cap in rules.caps.overall] + [
        (cap, asked.topic) for cap in rules.caps.by_topic.get(asked.topic, ())
    ]:
        got = sum(one.at > at - cap.within for one in who.past if topic in (None, one.topic))
        kept = sum(
            at < one.at + PATIENCE and one.at < at + cap.within
            for one in who.waiting
            if one.priority > asked.priority and topic in (None, one.topic)
        )
        if got >= cap.most or (kept and got + kept >= cap.most):
            return False
    return True


GERMAN = holidays.country_holidays("DE", years=(2011, 2012, 2025, 2026, 2027, 2028))


@dataclass(frozen=True)
class Case:
    at: datetime
    zone: str
    quiet: tuple[time, time] | None
    days: frozenset[int]
    holidays: bool
    overall: list[Cap]
    on_news: list[Cap]
    got: list[tuple[int, str]]
    held: list[tuple[int, str, int]]
    topic: str


cases = st.builds(
    Case,
    at=moments,
    zone=st.sampled_from(ZONES),
    quiet=windows,
    days=st.frozensets(st.integers(0, 6), max_size=6),
    holidays=st.booleans(),
    overall=caps,
    on_news=caps,
    got=st.lists(st.tuples(ago, topics), max_size=5),
    held=st.lists(st.tuples(ahead, topics, st.integers(0, 2)), max_size=3),
    topic=topics,
)


@settings(max_examples=300, deadline=None)
@given(case=cases)
def test_it_is_the_first_minute_that_everything_lets_pass(case: Case) -> None:
    zone, week, at, topic = ZoneInfo(case.zone), 8 * DAY, case.at, case.topic
    rules = house(
        quiet=case.quiet,
        quiet_days=case.days,
        holidays=case.holidays,
        country="DE",
        caps=Caps(tuple(case.overall), {"news": tuple(case.on_news)}),
    )
    who = Standing(
        address="a",
        zone=zone,
        past=tuple(Past(at - minutes * MINUTE, about) for minutes, about in case.got),
        waiting=tuple(Waiting(at + minutes * MINUTE, about, priority) for minutes, about, priority in case.held),
    )
    asked = asks(at, topic=topic, delay=week, priority=1)
    found = in_time(who, asked, rules)

    end = at if found is None else found.until or at + week + MINUTE
    assert (end > at) == (found is not None), "what is put off is put off to a later moment"
    minute = at
    while minute < end:
        assert not may_go(minute, zone, rules, who, asked), minute
        minute += MINUTE
    if found is None or found.state == "deferred":
        assert may_go(end, zone, rules, who, asked)
        again = asks(end, first_at=at, topic=topic, delay=week, priority=1)
        assert in_time(who, again, rules) is None, "at that moment it goes"
    else:
        assert found.reason is not None
        assert found.reason.startswith("too late: ")


# Words


@pytest.mark.parametrize("text", ["two a day", "2 per", "0 per 1d", "2 per 1s", "2 per 500d", "news: ", "2 per 1d,"])
def test_what_is_no_cap_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="cap"):
        Caps.parse(text)


def test_caps_are_read_as_people_write_them() -> None:
    found = Caps.parse("2 per 1d, 6 per 7 days; newsletter: 1 per 7d; newsletter: 3 per 30d")
    assert [str(cap) for cap in found.overall] == ["2 per 1 day", "6 per 7 days"]
    assert [str(cap) for cap in found.by_topic["newsletter"]] == ["1 per 7 days", "3 per 30 days"]
    assert found.longest(["offers"]) == 7 * DAY
    assert found.longest(["newsletter"]) == 30 * DAY
    assert Caps.parse("news: 1 per 1d").longest(["offers"]) is None
    assert not Caps.parse("")


def test_a_topic_names_its_own_cap() -> None:
    topics = Topics([Topic("news", purpose="A mail a week", version="1", cap="1 per 7d")])
    assert topics.caps == {"news": (Cap(1, 7 * DAY),)}
    for wrong in ("often", "0 per 1d"):
        with pytest.raises(JourneyDefinitionError, match="cap"):
            Topic("news", purpose="A mail a week", version="1", cap=wrong)
    with pytest.raises(JourneyDefinitionError, match="not held back"):
        Topic("receipts", transactional="an order is followed by its receipt", cap="1 per 1d")
