"""The command line without a desk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tabiji.scaffold import create
from tests.desk.desks import Desk

FreePort = Callable[[], int]


@pytest.fixture
def here(tmp_path: Path, free_port: FreePort) -> Desk:
    """A project, and nothing that runs."""
    create(tmp_path / "shop")
    return Desk(tmp_path / "shop", tmp_path / "data", free_port)


async def test_keys_are_made_listed_and_revoked(here: Desk) -> None:
    assert (await here.tabiji("migrate"))[0] == 0
    code, key, _ = await here.tabiji("key", "create", "web shop", "--scope", "admin")
    assert code == 0
    assert key.startswith("tbj_")
    code, _, err = await here.tabiji("key", "create", "web shop")
    assert code == 1
    assert err.startswith(
        "tabiji: a key called 'web shop' is there already. Choose another name, or `tabiji key rotate`"
    )
    assert (await here.tabiji("key", "revoke", "web shop"))[0] == 0
    code, _, err = await here.tabiji("key", "revoke", "web shop")
    assert code == 1
    assert "no key called 'web shop' is in force" in err
    _, out, _ = await here.tabiji("key", "list")
    assert "web shop" in out
    assert key.strip() not in out


@pytest.mark.slow
async def test_a_key_is_rotated_and_its_user_secret_stays(here: Desk) -> None:
    assert (await here.tabiji("migrate"))[0] == 0
    signing = {"TABIJI_SECRET": "x" * 32}
    page = ("--scope", "browser", "--origin", "https://shop.example.com")
    code, key, hint = await here.tabiji("key", "create", "page", *page, **signing)
    assert code == 0
    _, secret, _ = await here.tabiji("key", "secret", "page", **signing)
    assert len(secret.strip()) == 64
    assert secret.strip() in hint

    code, newer, _ = await here.tabiji("key", "rotate", "page", "--grace", "2 days")
    _, same, _ = await here.tabiji("key", "secret", "page", **signing)
    _, listed, _ = await here.tabiji("key", "list")

    assert (code, same) == (0, secret)
    assert newer.startswith("tbj_")
    assert newer != key
    assert "good until" in " ".join(listed.split())
    assert "https://shop.example.com" in listed
    code, _, err = await here.tabiji("key", "rotate", "page", "--grace", "a while")
    assert code == 2
    assert "24h" in err


async def test_an_api_that_is_away_is_one_line(here: Desk) -> None:
    code, out, err = await here.tabiji("stuck", TABIJI_API_KEY="tbj_" + "x" * 43)
    assert (code, out) == (1, "")
    assert err.startswith(f"tabiji: the API does not answer at http://127.0.0.1:{here.port('API')} (ConnectError).")
    assert len(err.splitlines()) == 1


async def test_a_missing_key_is_one_line(here: Desk) -> None:
    code, _, err = await here.tabiji("contact", "ana@example.com")
    assert code == 1
    assert err.startswith("tabiji: no key: set TABIJI_API_KEY, or start the desk once")


async def test_journeys_are_listed(here: Desk) -> None:
    code, out, _ = await here.tabiji("journeys", TABIJI_SECRET="x" * 32)
    assert code == 0
    assert "whitepaper-nurture" in out


async def test_a_new_project_is_written_once(here: Desk, tmp_path: Path) -> None:
    code, out, _ = await here.tabiji("new", str(tmp_path / "other"))
    assert code == 0
    assert "tabiji up" in out
    assert (tmp_path / "other" / "worker.py").exists()
    code, _, err = await here.tabiji("new", str(tmp_path / "other"))
    assert code == 1
    assert "is not empty" in err


async def test_version_and_wrong_usage(here: Desk) -> None:
    assert (await here.tabiji("--version"))[:2] == (0, "tabiji 0.1.0\n")
    assert (await here.tabiji("no-such-command"))[0] == 2


async def test_a_worker_that_cannot_work_says_why_in_one_line(here: Desk, free_port: FreePort) -> None:
    code, _, err = await here.tabiji("worker", TABIJI_TEMPORAL_ADDRESS=f"127.0.0.1:{free_port()}")
    lines = [line for line in err.splitlines() if not line.startswith("{")]
    assert code == 1
    assert len(lines) == 1, err


async def test_a_journey_is_drawn_from_its_source(here: Desk) -> None:
    code, out, _ = await here.tabiji("map")
    assert code == 0
    assert "whitepaper-nurture" in out
    code, out, _ = await here.tabiji("map", "whitepaper-nurture")
    assert code == 0
    assert out.startswith("flowchart TD\n")
    assert "wait for Demo Attended, at most 14 days" in out
    code, out, _ = await here.tabiji("map", "whitepaper-nurture", "--json")
    assert json.loads(out)["nodes"][1]["step"] == "steps/send_email:whitepaper/welcome"
    code, _, err = await here.tabiji("map", "unknown")
    assert code == 1
    assert "no journey 'unknown' is loaded. Known: birthday, double-opt-in, " in err


async def test_a_check_of_the_shipped_journeys_finds_nothing_and_of_a_wrong_one_its_line(here: Desk) -> None:
    code, out, err = await here.tabiji("check", TABIJI_SECRET="x" * 32)
    assert (code, out, err) == (0, "", "Nothing found.\n")
    journey = here.project / "workflows" / "onboarding.py"
    journey.write_text(journey.read_text().replace('await self.tag("customer")', 'self.tag("customer")'))
    code, out, err = await here.tabiji("check", TABIJI_SECRET="x" * 32)
    assert code == 1
    assert "workflows/onboarding.py:11: error not-awaited: tag() is not awaited: nothing happens." in out
    assert err == "1 error, 0 warnings.\n"
    code, out, _ = await here.tabiji("check", "--json", TABIJI_SECRET="x" * 32)
    assert code == 1
    assert json.loads(out)[0]["code"] == "not-awaited"
