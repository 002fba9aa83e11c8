from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from tests.journeys.stage import until

SESSION = """
import subprocess, sys, time
from pathlib import Path
from tests.watchdog import gone_with_us

server = subprocess.Popen(["sleep", "600"])
with gone_with_us(server.pid, signal="KILL", folder=Path(sys.argv[1])):
    print(server.pid, flush=True)
    time.sleep(600)
"""


async def test_a_test_session_that_is_killed_leaves_no_server_and_no_files(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    session = subprocess.Popen(  # noqa: ASYNC220 # returns at once
        [sys.executable, "-c", SESSION, str(folder)], cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE
    )
    assert session.stdout is not None
    with session.stdout:
        server = psutil.Process(int(session.stdout.readline()))
        assert server.is_running()
        session.kill()
        session.wait()
    await until(
        lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, "the server is gone", within=60
    )
    await until(lambda: not folder.exists(), "its files are gone", within=60)
