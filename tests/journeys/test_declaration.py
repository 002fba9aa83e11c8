"""What `@journey` accepts, and what it says when it does not."""

from __future__ import annotations

import importlib
import re
import sys
from datetime import time
from pathlib import Path

import pytest

from tabiji import Journey, after, anniversary, each_time, every, everyone, journey, never, on
from tabiji.domain.journeys import Catalog
from tabiji.errors import JourneyDefinitionError, UnknownJourney
from tabiji.journey.discovery import discover
from tests.journeys.samples import HandsOver, OnlyOnce, TwoMails, Undescribed


def test_the_name_is_made_from_the_class() -> None:
    assert TwoMails.spec.name == "two-mails"
    assert TwoMails.spec.title == "A mail, a day to click, another mail."


def test_the_main_journeys_are_found_by_themselves() -> None:
    assert {"onboarding", "stay-in-touch", "whitepaper-nurture"} <= {found.spec.name for found in discover()}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\ndef broken(:\n", r"workflows/broken\.py:2: "),
        ("import nowhere_at_all\n", r"workflows/broken\.py:1: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("from tabiji import after\n\nafter(90)\n", r"workflows/broken\.py:3: TypeError: "),
    ],
)
def test_a_module_that_cannot_be_loaded_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    package = f"workflows_{abs(hash(source))}"
    folder = tmp_path / package
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "broken.py").write_text(source)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    importlib.invalidate_caches()

    with pytest.raises(JourneyDefinitionError, match=said.replace("workflows", package)):
        discover(package)


def test_a_journey_without_a_docstring_is_called_by_its_name() -> None:
    assert Undescribed.spec.title == "undescribed"


def test_two_journeys_of_one_name_are_refused() -> None:
    with pytest.raises(JourneyDefinitionError, match=r"two journeys are called 'two-mails'.*Rename"):
        Catalog([TwoMails.spec, TwoMails.spec])


def test_handing_over_to_a_journey_that_is_not_loaded_is_refused() -> None:
    Catalog([HandsOver.spec, OnlyOnce.spec])
    with pytest.raises(JourneyDefinitionError, match="hands over to 'only-once', which is not loaded"):
        Catalog([HandsOver.spec])


def test_an_unknown_journey_is_answered_with_those_that_are_known() -> None:
    with pytest.raises(UnknownJourney, match=re.escape("Known: only-once. Journeys are found in workflows/.")):
        Catalog([OnlyOnce.spec]).get("only-twice")


def test_a_journey_without_steps_is_refused() -> None:
    with pytest.raises(JourneyDefinitionError, match=r"Idle needs `async def steps\(self\) -> None`"):

        @journey(trigger=on("Anything"))
        class Idle(Journey):  # pyright: ignore[reportUnusedClass] # declared to be refused
            pass


def test_a_name_must_be_fit_for_ids_and_addresses() -> None:
    with pytest.raises(JourneyDefinitionError, match="lower-case words joined by hyphens"):

        @journey(name="Not OK")
        class Named(Journey):  # pyright: ignore[reportUnusedClass] # declared to be refused
            async def steps(self) -> None:
                await self.wait(days=1)


def test_a_period_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="more than zero"):
        after(days=0)


@journey(trigger=(on("A"), anniversary("birthday"), every(time(9), who=everyone)))
class Thrice(Journey):
    async def steps(self) -> None: ...


@journey(trigger=on("A"))
class ByEvent(Journey):
    async def steps(self) -> None: ...


@journey(trigger=anniversary("birthday"), reentry=never)
class OnceForAll(Journey):
    async def steps(self) -> None: ...


def test_dates_schedules_and_events_start_a_journey_side_by_side() -> None:
    spec = Thrice.spec
    assert spec.triggers == (on("A"),)
    assert spec.dates == (anniversary("birthday"),)
    assert spec.schedules == (every(time(9), who=everyone),)


def test_who_comes_by_the_clock_may_come_each_time_unless_the_author_says_otherwise() -> None:
    assert Thrice.spec.reentry == each_time
    assert OnceForAll.spec.reentry == never
    assert ByEvent.spec.reentry == never


@pytest.mark.parametrize(
    ("line", "body", "taken"),
    [
        (7, "score = 3", "score"),
        (7, "def tag(self) -> None: ...", "tag"),
        (7, "async def travel(self) -> None: ...", "travel"),
        (7, "journal: int = 0", "journal"),
        (7, "def run(self) -> None: ...", "run"),
        (7, "def remember(self) -> None:\n        self.score += 3", "score"),
        (7, "def remember(self) -> None:\n        self.stage, self.mine = 1, 2", "stage"),
        (7, "def remember(self) -> None:\n        self._travel = None", "_travel"),
    ],
)
def test_a_name_the_language_has_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: int, body: str, taken: str
) -> None:
    package = f"taken_{abs(hash(body))}"
    folder = tmp_path / package
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "mine.py").write_text(
        f"from tabiji import Journey, journey\n\n\n@journey()\nclass Mine(Journey):\n"
        f"    async def steps(self) -> None: ...\n    {body}\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    importlib.invalidate_caches()
    at = line + body.count("\n")

    with pytest.raises(JourneyDefinitionError, match=rf"mine\.py:{at}: Mine uses the name '{taken}'.*my_"):
        discover(package)


class Basis(Journey):
    """With state of its own, and without a word to ours."""

    def __init__(self) -> None:
        self.points: int = 0


@journey()
class Counts(Basis):
    async def steps(self) -> None:
        self.points += 1


@journey()
class CountsOn(Counts):
    async def steps(self) -> None:
        self.points += 2


def test_a_journey_may_have_state_and_an_init_of_its_own_and_be_inherited_from() -> None:
    assert (Counts.spec.name, CountsOn.spec.name) == ("counts", "counts-on")
    assert CountsOn().points == 0
    assert CountsOn().doing() == []
