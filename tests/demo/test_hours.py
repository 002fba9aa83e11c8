"""The demo at three in the morning: mails wait for eight o'clock, in journey time, and everything else goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.demo.playing import demo


def to_three_in_the_morning(zone: str) -> str:
    """How far journey time must run ahead for it to be 03:00 there; ISO 8601."""
    now = datetime.now(ZoneInfo(zone))
    three = now.replace(hour=3, minute=0, second=0, microsecond=0)
    ahead = (three if three > now else three + timedelta(days=1)).timestamp() - now.timestamp()
    return f"PT{round(ahead)}S"


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin"])
async def test_at_three_in_the_morning_the_visitors_sleep_and_are_mailed_later(zone: str, tmp_path: Path) -> None:
    night = {
        "TABIJI_TIMEZONE": zone,
        "TABIJI_CLOCK_SHIFT": to_three_in_the_morning(zone),
        "TABIJI_QUIET_HOURS": "21:00-08:00",
    }
    async with demo(tmp_path, env=night) as playing:
        code = await playing.end()

    assert code == 0, playing.said
    assert playing.said.splitlines()[-1] == "demo: ok"
    assert "it is 03:0" in playing.said, "the form was sent in the night"
    assert playing.left_behind() == []
