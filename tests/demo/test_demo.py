"""The demo tells the truth: ok when everything happened, and what is missing when it did not."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from demo.__main__ import parse
from tests.demo.playing import demo


@pytest.mark.slow
async def test_kept_it_runs_on_after_ok_until_it_is_interrupted(tmp_path: Path) -> None:
    async with demo(tmp_path, env={"KEEP": "1"}) as playing:
        await playing.until("demo: ok")
        assert "demo: ok" in playing.said, playing.said
        async with httpx2.AsyncClient() as client:
            assert (await client.get(f"{playing.address}/readyz")).status_code == 200
        assert playing.left_behind()

        playing.interrupt()
        assert await playing.end() == 0, playing.said
        assert playing.left_behind() == []
        assert not playing.data_is_kept


@pytest.mark.slow
async def test_a_relay_that_takes_no_mail_is_named_with_everything_that_follows_from_it(tmp_path: Path) -> None:
    async with demo(tmp_path, "--set", "TABIJI_SMTP_SECURITY=starttls", "--deadline", "3") as playing:
        code = await playing.end()

    assert code == 1, playing.said
    missing = [line for line in playing.said.splitlines() if line.startswith("did not happen: ")]
    assert any("Hanako: the mail whitepaper/welcome is in the inbox" in line for line in missing), playing.said
    assert any("Kenta: the journeys are" in line for line in missing)
    assert any("Hanako: the score is 50 (it is 0)" in line for line in missing)
    assert all("(look at: " in line for line in missing)
    assert f"demo: failed, {len(missing)} expectations were not met" in playing.said
    assert playing.left_behind() == []
    assert playing.data_is_kept


async def test_a_desk_that_cannot_start_is_one_line(tmp_path: Path) -> None:
    async with demo(tmp_path, "--set", "TABIJI_TIMEZONE=Mars/Olympus") as playing:
        code = await playing.end()

    assert code == 1
    assert "TABIJI_TIMEZONE: Value error, 'Mars/Olympus' is not an IANA time zone" in playing.said
    assert playing.left_behind() == []


@pytest.mark.slow
async def test_interrupted_in_the_middle_it_leaves_nothing_behind(tmp_path: Path) -> None:
    async with demo(tmp_path) as playing:
        await playing.until("opens ")
        playing.interrupt()
        code = await playing.end()

    assert code == 130, playing.said
    assert playing.left_behind() == []
    assert not playing.data_is_kept


def test_the_environment_asks_for_chaos_and_to_be_kept() -> None:
    asked = parse(
        [], {"CHAOS": "7", "KEEP": "1", "TABIJI_QUIET_HOURS": "21:00-08:00", "TABIJI_SMTP_HOST": "mx.example"}
    )

    assert asked.seed == 7
    assert asked.keep
    assert asked.settings == {"TABIJI_QUIET_HOURS": "21:00-08:00"}, "nothing that leads to a real relay is taken over"
    assert parse([], {"CHAOS": "", "KEEP": ""}).seed is None


def test_what_is_not_a_seed_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([], {"CHAOS": "storm"})
    assert "invalid int value: 'storm'" in capsys.readouterr().err
