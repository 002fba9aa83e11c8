"""What somebody sees who has never heard of this repository: install, `tabiji new`, `tabiji up`, a mail."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import psutil
import pytest

ROOT = Path(__file__).parent.parent.parent
T = TypeVar("T")


@dataclass(frozen=True)
class Stranger:
    """A fresh virtual environment with the wheel in it, far from the repository."""

    bin: Path
    home: Path

    def environment(self, **variables: object) -> dict[str, str]:
        """Nothing of this process's: no PYTHONPATH, no TABIJI_ setting, no other virtual environment."""
        said = {name: str(value) for name, value in variables.items()}
        return {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8", **said}

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=cwd, env=self.environment(), capture_output=True, text=True, check=False, timeout=60
        )


@pytest.fixture(scope="module")
def stranger(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    home = tmp_path_factory.mktemp("stranger")
    venv = home / "venv"
    uv = [sys.executable, "-m", "uv"]
    install = ["--python", str(venv / "bin" / "python"), "-c", str(ROOT / "requirements.lock"), f"{wheel}[desk]"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, venv], check=True)
    # The cache first: then the test needs no network where `make setup` has been.
    offline = subprocess.run([*uv, "pip", "install", "-q", "--offline", *install], capture_output=True, check=False)
    if offline.returncode:
        online = subprocess.run([*uv, "pip", "install", "-q", *install], capture_output=True, text=True, check=False)
        assert online.returncode == 0, online.stderr
    return Stranger(venv / "bin", home)


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def awaited(look: Callable[[], T | None], running: subprocess.Popen[str], log: Path, *, within: float = 45) -> T:
    """What a look finds, as soon as it finds something; fails with the stack's own words."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if (found := look()) is not None:
            return found
        if running.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"it did not come (tabiji up: {running.poll()}):\n{log.read_text()[-6000:]}")


@contextmanager
def desk(stranger: Stranger, project: Path, **settings: object) -> Generator[tuple[subprocess.Popen[str], Path]]:
    log = project.parent / "up.log"
    with log.open("w") as out:
        running = subprocess.Popen(
            [stranger.bin / "tabiji", "up"],
            cwd=project,
            env=stranger.environment(**settings),
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )
        family = [psutil.Process(running.pid)]
        try:
            yield running, log
            family += family[0].children(recursive=True)
            running.send_signal(signal.SIGTERM)
            assert running.wait(40) == 0, log.read_text()[-6000:]
            left = [process for process in family[1:] if process.is_running()]
            assert left == [], "processes were left behind"
        finally:
            for process in (*_children(family[0]), *family):
                if process.is_running():
                    process.kill()
            running.wait(10)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def answer(get: Callable[[], httpx2.Response]) -> httpx2.Response | None:
    try:
        response = get()
    except httpx2.TransportError:
        return None
    return response if response.status_code == 200 else None


@pytest.mark.timeout(180)
def test_install_new_up_one_form_and_the_mail_is_in_the_inbox(stranger: Stranger, tmp_path: Path) -> None:
    made = stranger.run("tabiji", "new", "shop", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    project = tmp_path / "shop"
    api, temporal, ui, smtp, inbox = free_ports(5)
    ports = {
        "TABIJI_API_PORT": api,
        "TABIJI_TEMPORAL_PORT": temporal,
        "TABIJI_TEMPORAL_UI_PORT": ui,
        "TABIJI_SMTP_PORT": smtp,
        "TABIJI_INBOX_PORT": inbox,
    }
    with desk(stranger, project, **ports) as (running, log), httpx2.Client(timeout=5) as http:
        awaited(lambda: answer(lambda: http.get(f"http://127.0.0.1:{api}/readyz")), running, log)
        form = f"http://127.0.0.1:{api}/f/whitepaper"
        sent = http.post(form, data={"email": "hanako@example.com", "first_name": "Hanako", "consent": "yes"})
        assert sent.status_code == 303, sent.text

        def mail() -> dict[str, Any] | None:
            listed = answer(lambda: http.get(f"http://127.0.0.1:{inbox}/api/messages"))
            mails: list[dict[str, Any]] = listed.json() if listed else []
            return next((mail for mail in mails if "hanako@example.com" in str(mail["to"])), None)

        arrived = awaited(mail, running, log)
        whole = http.get(f"http://127.0.0.1:{inbox}/api/messages/{arrived['id']}").json()
        assert arrived["subject"]
        assert "http" in whole["text"]


@pytest.mark.slow
def test_its_sample_test_passes(stranger: Stranger, tmp_path: Path) -> None:
    """Run by this environment's pytest, on the library from the wheel."""
    stranger.run("tabiji", "new", "shop", cwd=tmp_path)
    library = next((stranger.bin.parent / "lib").glob("python*/site-packages"))
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"],
        cwd=tmp_path / "shop",
        env={**os.environ, "PYTHONPATH": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def test_outside_of_a_project_it_says_where_to_go(stranger: Stranger, tmp_path: Path) -> None:
    refused = stranger.run("tabiji", "up", cwd=tmp_path)
    assert refused.returncode == 1
    assert "tabiji new DIR" in refused.stderr
    assert "Traceback" not in refused.stderr
