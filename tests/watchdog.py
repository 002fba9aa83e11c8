"""Servers of a test session that is killed go with it."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

# Nobody writes to the pipe of somebody who was killed: `read` fails, and only then.
_WATCH = 'read -r _ || { kill -s "$1" "$2"; sleep 1; rm -rf "$3"; }'


@contextmanager
def gone_with_us(pid: int, *, signal: str, folder: Path) -> Generator[None]:
    """During the block: should this process be killed, another ends `pid` and removes its folder.

    Args:
        pid: The server.
        signal: The one that ends it at once, such as QUIT for PostgreSQL.
        folder: What it leaves behind.
    """
    watching = subprocess.Popen(
        ["sh", "-c", _WATCH, "watchdog", signal, str(pid), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what ends us may be meant for our whole group
    )
    try:
        yield
    finally:
        watching.communicate(b"all is well\n")
