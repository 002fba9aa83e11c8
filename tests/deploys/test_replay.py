"""A deploy is checked before it goes out: whose way it would break, and what would mean something else."""

from __future__ import annotations

import base64
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tabiji import Journey
from tabiji.deploys.accepted import Accepted
from tabiji.deploys.histories import FOLDER, on_file
from tabiji.deploys.meaning import Change
from tabiji.deploys.replay import Difference, Replay, Replayed
from tabiji.deploys.verdict import Check
from tabiji.desk.replay import show_replay
from tabiji.errors import ConfigurationError
from tabiji.journey.discovery import discover
from tabiji.settings import Settings
from tests.deploys import edits

EDITS = Path(edits.__file__)
LINES = EDITS.read_text().splitlines()


async def replayed(journey: type[Journey]) -> list[Replayed]:
    """Every recorded run of a journey on an edit of it."""
    replay = Replay([journey])
    of_it = [
        history
        for history in on_file(FOLDER)
        if history.events[0].workflow_execution_started_event_attributes.workflow_type.name == journey.spec.name
    ]
    return [await replay.one(history) for history in of_it]


async def difference(journey: type[Journey]) -> Difference:
    [found] = await replayed(journey)
    assert found.difference is not None
    return found.difference


async def changes(journey: type[Journey]) -> set[tuple[str, str, str, str]]:
    found: list[Change] = []
    for one in await replayed(journey):
        assert one.difference is None
        found += one.changes
    for change in found:
        assert change.source is not None
        # The line it points to is where the step's call begins.
        call = LINES[change.source.line - 1] + LINES[change.source.line]
        assert change.step.rpartition(":")[2].split("(")[0] in call
    return {(change.step, change.what, change.old, change.new) for change in found}


def line_of(words: str) -> int:
    [line] = [number for number, line in enumerate(LINES, 1) if words in line]
    return line


async def test_what_is_shipped_is_what_was_recorded() -> None:
    """The repository's own deploy check. `tabiji replay` is the same from the command line."""
    check = Check(discover())
    await check.recorded(on_file(FOLDER))
    verdict = check.verdict()
    assert verdict.broken == []
    assert [found for found in verdict.changed if found.change not in Accepted()] == []


def test_the_recorded_runs_cover_every_journey() -> None:
    types = {
        history.events[0].workflow_execution_started_event_attributes.workflow_type.name for history in on_file(FOLDER)
    }
    assert types == {found.spec.name for found in discover()}


def test_the_recorded_runs_hold_nobody_s_address() -> None:
    for history in on_file(FOLDER):
        raw = b"".join(event.SerializeToString() for event in history.events)
        assert not re.search(rb"[\w.+-]+@[\w-]+\.[a-z]+", raw), history.workflow_id


async def test_an_inserted_step_is_named_with_its_line_though_replay_fails_only_later() -> None:
    found = await difference(edits.Inserted)
    assert found.step == "steps/send_email:onboarding/news"
    assert found.source is not None
    assert (found.source.file, found.source.line) == (str(EDITS), line_of("onboarding/news"))
    assert found.recorded == "steps/send_email:onboarding/welcome: Mail onboarding/welcome"
    assert found.here == "Mail onboarding/news"


async def test_a_step_in_a_helper_is_named_with_the_helper_s_line() -> None:
    found = await difference(edits.InHelper)
    assert found.step == "steps/welcome/wait:days=1"
    assert found.source is not None
    assert found.source.line == line_of("journey.wait(days=1)")


async def test_a_mistake_in_the_author_s_code_is_named_with_its_line() -> None:
    found = await difference(edits.Broken)
    assert found.here == "ValueError: a slip"
    assert found.source is not None
    assert found.source.line == line_of("a slip")


async def test_a_journey_that_ends_too_early_is_named_with_its_last_step() -> None:
    found = await difference(edits.Shortened)
    assert (found.step, found.here) == ("steps/tag:customer", "Ended: completed, went all the way")


async def test_a_journey_that_is_gone_leaves_people_behind() -> None:
    [history, *_] = on_file(FOLDER)
    found = await Replay([edits.Rescored]).one(history)
    assert found.difference is not None
    assert found.difference.recorded == f"people are in {found.journey}"
    assert found.difference.here == "there is no such journey"


async def test_another_mail_duration_or_condition_is_seen_though_the_way_is_the_same() -> None:
    wait = "steps/wait_for:LOGGED_IN"
    assert await changes(edits.Reworded) == {
        ("steps/send_email:onboarding/welcome", "template", "onboarding/welcome", "onboarding/hello"),
        (wait, "condition", "Listen for Logged In", "Listen for Signed In"),
        (wait, "wait", "Logged In, or 3 days", "Signed In, or 5 days"),
    }


async def test_other_points_texts_and_waits_are_seen() -> None:
    sales = "Looked at pricing after the whitepaper"
    assert await changes(edits.Rescored) == {
        ("steps/wait:days=2", "wait", "Wait 2 days", "Wait 3 days"),
        ("steps/adjust_score:+20", "points", "20", "25"),
        (f"steps/notify_sales:{sales}", "reason", sales, "Looked at prices"),
    }


async def test_other_weights_and_another_moment_are_seen() -> None:
    assert await changes(edits.Reweighted) == {
        (
            "steps/split:birthday gift",
            "arms and weights",
            "Arm of birthday gift: discount 1, free shipping 1",
            "Arm of birthday gift: discount 9, free shipping 1",
        )
    }
    moments = {(what, old, new) for _, what, old, new in await changes(edits.Retimed)}
    [(old, new)] = {(old, new) for what, old, new in moments if what == "moment"}
    assert "10:00" in old
    assert "12:00" in new


async def test_steps_of_one_kind_that_changed_places_are_seen() -> None:
    """Replay is content with them: both are mails."""
    first, welcome = "steps/send_email:onboarding/first-steps", "steps/send_email:onboarding/welcome"
    assert {(step, what) for step, what, _, _ in await changes(edits.Swapped)} == {
        (first, "the step itself"),
        (welcome, "the step itself"),
    }


def test_what_was_accepted_is_read_again_whatever_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "accepted.toml"
    odd = Change("nurture", "steps/notify:a", "text", 'He said: "50 % \\ off"', "tab\there, line\nthere, 東京, \x7f")
    plain = Change("nurture", "steps/wait:days=2", "wait", "Wait 2 days", "Wait 3 days")
    Accepted(file).add([odd])
    Accepted(file).add([plain, odd])
    again = Accepted(file)
    assert odd in again
    assert plain in again
    assert file.read_text().count("[[accepted]]") == 2
    file.write_text("accepted = 1")
    with pytest.raises(ConfigurationError, match=r"accepted\.toml cannot be read"):
        Accepted(file)


def asked(folder: Path, *, accept: bool = False, as_json: bool = False) -> tuple[bool, str]:
    said = StringIO()
    may_go = show_replay(
        Settings(),
        folder,
        live=0,
        accept=accept,
        accepted_file=folder / "accepted.toml",
        as_json=as_json,
        console=Console(file=said, soft_wrap=True),
    )
    return may_go, said.getvalue()


def test_ci_stops_at_a_change_of_meaning_until_somebody_accepts_it(tmp_path: Path) -> None:
    """As if the mail had been another one when people went through."""
    edited_history(tmp_path, '"template":"onboarding/welcome"', '"template":"onboarding/hello"')
    may_go, said = asked(tmp_path)
    assert not may_go
    assert "step steps/send_email:onboarding/welcome means something else: template" in said
    assert "was:  onboarding/hello\n    here: onboarding/welcome" in said
    assert "workflows/onboarding.py:" in said
    assert json.loads(asked(tmp_path, as_json=True)[1])["ok"] is False
    assert asked(tmp_path, accept=True)[0]
    may_go, said = asked(tmp_path)
    assert may_go
    assert "0 changes of meaning, 1 accepted" in said


def test_a_difference_is_told_with_the_ways_out(tmp_path: Path) -> None:
    edited_history(tmp_path, '"tag":"customer"', '"tag":"customer"', activity=("tag", "untag"))
    may_go, said = asked(tmp_path, accept=True)
    assert not may_go
    assert "journey onboarding, step steps/tag:customer goes another way" in said
    assert "tabiji move" in said
    assert "workflow.patched" in said


def test_a_file_that_is_no_history_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text("{}")
    with pytest.raises(ConfigurationError, match=r"odd\.json is no recorded history"):
        asked(tmp_path)


def edited_history(folder: Path, old: str, new: str, *, activity: tuple[str, str] = ("", "")) -> None:
    """A recorded run as it would have been before an edit."""
    document: dict[str, Any] = json.loads((FOLDER / "onboarding-buyer.json").read_text())
    edited = 0
    for event in document["history"]["events"]:
        told: dict[str, Any] = event.get("activityTaskScheduledEventAttributes", {})
        payloads: list[dict[str, str]] = told["input"]["payloads"] if told else []
        for payload in payloads:
            text = base64.b64decode(payload["data"]).decode()
            edited += old in text
            payload["data"] = base64.b64encode(text.replace(old, new).encode()).decode()
        if told and told["activityType"]["name"] == activity[0]:
            told["activityType"]["name"] = activity[1]
    assert edited == 1
    (folder / "onboarding-buyer.json").write_text(json.dumps(document))
