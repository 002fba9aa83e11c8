"""A mistake in a journey fails its test at once, and what pytest shows ends at the author's line."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from tabiji import Journey, days
from tabiji.errors import JourneyDefinitionError
from tabiji.testing import JourneyEnvironment, Mistake
from tests.kit import mistaken

SOURCE = Path(mistaken.__file__)


def wrong_line(journey: type[Journey] | None, words: str = "") -> int:
    """The line a comment marks, in a journey's class."""
    lines, first = inspect.getsourcelines(journey or mistaken.reward)
    return next(first + place for place, line in enumerate(lines) if "wrong:" in line and words in line)


def shown_at(failure: pytest.ExceptionInfo[BaseException]) -> int:
    """The line pytest shows last. It is in the author's file."""
    last = failure.traceback[-1]
    assert Path(last.path) == SOURCE
    return last.lineno + 1


@pytest.mark.parametrize(
    ("journey", "error", "words"),
    [
        (mistaken.Raises, KeyError, "basic"),
        (mistaken.Misspelt, AttributeError, "send_mail"),
        (mistaken.ForgetsToAwait, Mistake, "is not awaited"),
        (mistaken.ForgetsToAwaitACondition, Mistake, "is not awaited"),
        (mistaken.AsksNobody, Mistake, r"journeys.replace\('crm.lookup'"),
        (mistaken.WaitsForEver, Mistake, "nothing is left to happen"),
        (mistaken.GoesRound, Mistake, "goes round in circles"),
        (mistaken.AsksRound, Mistake, "goes round in circles"),
        (mistaken.LooksAtTheClock, Exception, "datetime.now"),
        (mistaken.WritesNonsense, Mistake, "is not an IANA time zone"),
        (mistaken.RaisesBesideAnother, ValueError, "no reward"),
    ],
)
async def test_the_error_stands_at_the_authors_line(
    journeys: JourneyEnvironment, journey: type[Journey], error: type[BaseException], words: str
) -> None:
    async def plays_it() -> None:
        await (await journeys.start(journey)).result()

    with pytest.raises(error, match=words) as failure:
        await plays_it()
    assert shown_at(failure) == wrong_line(journey)


async def test_a_helpers_line_is_shown_below_its_callers(journeys: JourneyEnvironment) -> None:
    with pytest.raises(KeyError) as failure:
        await journeys.start(mistaken.RaisesInAHelper)
    assert shown_at(failure) == wrong_line(None)
    assert [entry.name for entry in failure.traceback if Path(entry.path) == SOURCE] == ["steps", "reward"]


async def test_what_was_forgotten_and_kept_is_named_by_its_step(journeys: JourneyEnvironment) -> None:
    with pytest.raises(Mistake, match="steps/has_tag:vip' is not awaited"):
        await (await journeys.start(mistaken.KeepsWhatItForgot)).result()


async def test_what_a_journey_swallows_is_told_all_the_same(journeys: JourneyEnvironment) -> None:
    with pytest.raises(Mistake, match="own activity"):
        await journeys.start(mistaken.SwallowsEverything)


async def test_an_error_tells_whose_run_and_when(journeys: JourneyEnvironment) -> None:
    run = await journeys.start(mistaken.RaisesOnTheSecondDay, contact="ann")
    await run.advance(days(1))
    with pytest.raises(JourneyDefinitionError) as failure:
        await run.advance(days(1))
    assert failure.value.__notes__ == ["in raises-on-the-second-day/ann/1, 2 days after the beginning"]
    assert shown_at(failure) == wrong_line(mistaken.RaisesOnTheSecondDay)


async def test_a_loop_that_never_awaits_is_found_in_two_seconds(journeys: JourneyEnvironment) -> None:
    run = await journeys.start(mistaken.NeverAwaits)
    with pytest.raises(Mistake, match="never comes to an await") as failure:
        await run.result()
    assert shown_at(failure) in (wrong_line(mistaken.NeverAwaits), wrong_line(mistaken.NeverAwaits) - 1)


class TestTemplates:
    @pytest.fixture
    def journey_templates(self, tmp_path: Path) -> Path:
        (tmp_path / "trial").mkdir()
        (tmp_path / "trial" / "welcome.html").touch()
        return tmp_path

    async def test_a_template_that_is_not_there_is_found_with_its_neighbour(self, journeys: JourneyEnvironment) -> None:
        with pytest.raises(Mistake, match="Did you mean 'trial/welcome'") as failure:
            await journeys.start(mistaken.NamesNoTemplate)
        assert shown_at(failure) == wrong_line(mistaken.NamesNoTemplate)
