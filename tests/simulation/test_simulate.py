"""Journeys are played before launch: invented people, and what happened."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tabiji import Journey, days, journey, on, prop, score_reached
from tabiji.errors import ConfigurationError
from tabiji.simulation.behaviour import Behaviour, read_behaviour
from tabiji.simulation.play import replay_events, simulate, stage
from tabiji.simulation.recorded import read_events
from tabiji.simulation.report import Report, in_lines, report
from tabiji.testing.server import Server
from workflows.lead_nurturing import LeadNurturing
from workflows.whitepaper_nurture import WhitepaperNurture


@journey(trigger=score_reached(50))
class BigOrders(Journey):
    """Wait for an order of 100 or more."""

    async def steps(self) -> None:
        await self.wait_for(on("Order Completed", prop("total") >= 100), timeout=days(5))


@journey(trigger=on("Page Viewed", prop("path").matches(r"^/p/\d+$")))
class FoundUs(Journey):
    """Somebody has found a product."""

    async def steps(self) -> None:
        await self.tag("found us")


ROOT = Path(__file__).parents[2]
MONDAY = datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with stage() as server:
        yield server


async def played(server: Server, behaviour: Behaviour) -> Report:
    lives = await simulate(WhitepaperNurture, behaviour, server, begins=MONDAY, horizon=days(100))
    return report(lives)


def behaviour(**given: object) -> Behaviour:
    return Behaviour.model_validate({"people": 4, **given})


async def test_the_same_seed_gives_the_same_people_and_another_seed_others(server: Server) -> None:
    once, again = await played(server, behaviour(seed=3)), await played(server, behaviour(seed=3))
    assert once == again
    assert once.people == once.ended == 4
    assert sum(way.people for way in once.ways) == 4
    assert await played(server, behaviour(seed=4)) != once


async def test_chances_of_nought_and_one_are_kept(server: Server) -> None:
    """Everybody looks at pricing and nobody comes to the demo: one way, whose mails stand in the calendar."""
    found = await played(
        server,
        behaviour(
            people=3,
            events={
                "Page Viewed": {"chance": 1, "within": "1 day", "properties": {"path": "/pricing"}},
                "Demo Attended": {"chance": 0},
            },
        ),
    )
    [way] = found.ways
    assert way.share == 1
    assert "no Demo Attended within 14 days" in way.steps
    assert [(sends.day, sends.template, sends.mails) for sends in found.calendar] == [
        (0, "whitepaper/welcome", 3),
        (2, "demo/invitation", 3),
    ]
    assert found.longest is not None
    assert found.longest.took == days(16)
    assert "100.0%  3 people: completed, went all the way" in in_lines(found)


async def test_events_are_invented_that_pass_comparisons(server: Server) -> None:
    """A score of 50 lets them in, and an order of 100 or more is waited for: nobody has to say so in a file."""
    lives = await simulate(BigOrders, behaviour(people=3, waits=1), server, begins=MONDAY, horizon=days(100))
    assert [life.path[0] for life in lives] == ["Order Completed (total >= 100) happened"] * 3


async def test_what_nobody_can_guess_is_asked_for(server: Server) -> None:
    with pytest.raises(ConfigurationError, match=r"found-us is entered by .*entry = "):
        await simulate(FoundUs, behaviour(), server, begins=MONDAY, horizon=days(1))
    given = behaviour(people=1, entry={"path": "/p/42"})
    [life] = await simulate(FoundUs, given, server, begins=MONDAY, horizon=days(1))
    assert life.outcome is not None


async def test_what_people_do_with_mails_is_drawn_for_each_mail(server: Server) -> None:
    given = behaviour(people=3, mails={"*": {"clicked": 1, "within": "1 hour"}})
    lives = await simulate(LeadNurturing, given, server, begins=MONDAY, horizon=days(100))
    assert all("lessons/proof" in [mail.template for mail in life.mails] for life in lives)
    assert all("score +15 to 45: read a lesson" in life.path for life in lives)


async def test_recorded_events_say_who_would_have_got_what(server: Server, tmp_path: Path) -> None:
    lines = [
        {"userId": "ann", "event": "Order Completed", "timestamp": "2027-01-09T10:00:00Z"},
        {
            "userId": "ann",
            "event": "Form Submitted",
            "properties": {"form": "whitepaper"},
            "timestamp": "2027-01-01T10:00:00Z",
        },
        {"anonymousId": "bob", "type": "page", "properties": {"path": "/"}, "timestamp": "2027-01-02T10:00:00+09:00"},
    ]
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)) + "\n")
    lives = await replay_events([WhitepaperNurture], read_events(file), server, horizon=days(60))
    found = report(lives, each_mail=True)
    assert [(life.contact, life.journey) for life in lives if life.journey == "whitepaper-nurture"] == [
        ("ann", "whitepaper-nurture")
    ]
    nurture = lives[0].outcome
    assert nurture is not None
    assert nurture.ending == "goal"
    ann = [(f"{mail.at:%d %H:%M}", mail.template) for mail in found.mails if mail.journey == "whitepaper-nurture"]
    assert ann == [("01 10:00", "whitepaper/welcome")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "events.jsonl:1: no JSON"),
        ('{"userId": "a", "event": "x", "timestamp": "yesterday"}', "events.jsonl:1: timestamp:"),
        ('{"event": "x", "timestamp": "2027-01-01T00:00:00Z"}', "userId or anonymousId is missing"),
        ('{"userId": "a", "timestamp": "2027-01-01T00:00:00Z"}', "event is missing"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str, problem: str) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(line)
    with pytest.raises(ConfigurationError, match=problem):
        list(read_events(file))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[events."A"]\nchance = 2', r"events\.A\.chance: input should be less than or equal to 1"),
        ('[events."A"]\nchance = 1\nwithin = "soon"', r"events\.A\.within"),
        ("poeple = 3", "poeple: extra inputs are not permitted"),
        ("people =", "Invalid value"),
    ],
)
def test_a_behaviour_that_cannot_be_read_names_the_field(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "behaviour.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=problem):
        read_behaviour(file)


def test_the_command_prints_ways_and_calendar() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tabiji.cli", "simulate", "onboarding", "--people", "2", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = Report.model_validate_json(ran.stdout)
    assert found.people == 2
    assert found.calendar[0].template == "onboarding/welcome"
