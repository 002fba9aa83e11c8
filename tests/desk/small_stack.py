"""A supervisor as a process of its own: three children that sleep, one of them with a child of its own.

python -m tests.desk.small_stack FOLDER
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import suppress
from pathlib import Path

from tabiji import log
from tabiji.desk.child import Child
from tabiji.desk.stack import Stack

SLEEPS = "import time; time.sleep(600)"
SLEEPS_IN_COMPANY = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPS!r}])"


async def always(_pid: int) -> bool:
    return True


async def run(folder: Path) -> None:
    pids: dict[str, int] = {}
    stack = Stack(
        [
            Child("alone", (sys.executable, "-c", SLEEPS), always),
            Child("second", (sys.executable, "-c", SLEEPS), always, after=("alone",)),
            Child("company", (sys.executable, "-c", SLEEPS_IN_COMPANY), always),
        ],
        logs=folder,
        changed=pids.update,
    )
    running = asyncio.create_task(stack.run())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    await asyncio.wait([running, asyncio.create_task(stack.ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    print(json.dumps(pids), flush=True)
    with suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    log.configure("warning")
    asyncio.run(run(Path(sys.argv[1])))
