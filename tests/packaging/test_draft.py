"""`tabiji journey new`: a journey that runs, with its mails and its test, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tabiji.draft import write_journey
from tabiji.errors import ConfigurationError
from tabiji.scaffold import create


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_writes_a_journey_its_mails_and_its_test(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    written = write_journey("trial-nurture-2", tmp_path)
    assert {str(file) for file in written} == {
        "workflows/trial_nurture_2.py",
        "tests/test_trial_nurture_2.py",
        "templates/email/trial-nurture-2/welcome.html",
        "templates/email/trial-nurture-2/reminder.html",
    }
    assert "class TrialNurture2(Journey)" in (tmp_path / "workflows" / "trial_nurture_2.py").read_text()
    assert not [text for text in snapshot(tmp_path).values() if b"$" in text]


@pytest.mark.parametrize("taken", ["workflows/trial.py", "tests/test_trial.py", "templates/email/trial/reminder.html"])
def test_what_is_there_is_never_overwritten(tmp_path: Path, taken: str) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / taken).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / taken).write_text("mine")
    before = snapshot(tmp_path)
    with pytest.raises(ConfigurationError, match="is there already"):
        write_journey("trial", tmp_path)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    "name", ["", "Trial", "trial_nurture", "../trial", "2nd", "trial-", "import", "match", "x" * 61]
)
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "workflows").mkdir()
    with pytest.raises(ConfigurationError):
        write_journey(name, tmp_path)
    assert snapshot(tmp_path) == {}


def test_outside_of_a_project_it_says_where_to_go(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="tabiji new DIR"):
        write_journey("trial", tmp_path)


def test_every_sample_journey_comes_with_a_test(tmp_path: Path) -> None:
    create(tmp_path / "shop")
    journeys = {file.stem for file in (tmp_path / "shop" / "workflows").glob("*.py") if "@journey(" in file.read_text()}
    tests = {file.stem.removeprefix("test_") for file in (tmp_path / "shop" / "tests").glob("test_*.py")}
    assert journeys <= tests
