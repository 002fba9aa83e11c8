"""One child process: what to start, and the running thing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from tabiji.desk import leash
from tabiji.desk.relay import Relay

Probe = Callable[[int], Awaitable[bool]]
"""Given the child's pid, tells whether it does its work now. May raise `OSError` for "not yet"."""

TAIL = 15
BIGGEST_LINE = 1 << 20
BIGGEST_LOG = 10 << 20


@dataclass(frozen=True)
class Child:
    """What the stack must know of a process to look after it."""

    name: str
    argv: tuple[str, ...]
    """The program, by absolute path, and its arguments."""
    ready: Probe
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """Added to the supervisor's own environment."""
    after: tuple[str, ...] = ()
    """Names of children that must be ready before this one starts. They are stopped after it."""
    patience: timedelta = timedelta(seconds=60)
    """How long it may take to become ready."""
    grace: timedelta = timedelta(seconds=10)
    """How long it may take to stop before it is killed."""
    quiet: bool = False
    """Only its errors are relayed; the log file has everything."""


class Running:
    """A started child. Its lines go to its log file and through the supervisor's log."""

    def __init__(self, child: Child, process: asyncio.subprocess.Process, log: Path) -> None:
        self.child = child
        self.pid = process.pid
        self.tail: deque[str] = deque(maxlen=TAIL)
        self.expected = False
        """Whether its end was asked for."""
        self._process = process
        self._pumping = asyncio.create_task(self._pump(log))

    @classmethod
    async def start(cls, child: Child, logs: Path) -> Running:
        """Start it: in a process group of its own (Ctrl-C reaches the supervisor alone), on the leash."""
        process = await asyncio.create_subprocess_exec(
            *leashed(child.argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **child.env},
            limit=BIGGEST_LINE,
            process_group=0,
        )
        return cls(child, process, logs / f"{child.name}.log")

    async def wait(self) -> int:
        """Its exit code once it has ended and its last line is written; negative for a signal."""
        code = await self._process.wait()
        # A grandchild may hold the pipe open: its lines are not waited for.
        await asyncio.wait([self._pumping], timeout=1)
        self._pumping.cancel()
        return code

    async def stop(self) -> None:
        """Ask it to end, insist when its grace is over, and take whatever is left in its group along."""
        self.expected = True
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), self.child.grace.total_seconds())
        except TimeoutError:
            pass
        finally:
            self.kill()
        await self.wait()

    def kill(self) -> None:
        """End the whole group at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass  # nobody left
        except PermissionError:
            pass  # macOS says this of a group of zombies

    async def _pump(self, log: Path) -> None:
        out = self._process.stdout
        relay = Relay(self.child.name, quiet=self.child.quiet)
        if out is None:
            return
        with _appending(log) as file:
            while line := await _line(out):
                file.write(line if line.endswith(b"\n") else line + b"\n")
                file.flush()
                text = line.decode(errors="replace").rstrip()
                if text:
                    self.tail.append(text)
                    relay(text)


async def run_once(argv: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
    """Run a short command, on the leash, to its end. Returns its exit code and what it said on standard error."""
    process = await asyncio.create_subprocess_exec(
        *leashed(argv),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **env},
        process_group=0,
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, said.decode(errors="replace").strip()


def leashed(argv: Sequence[str]) -> tuple[str, ...]:
    """The command that becomes `argv` and dies with this process."""
    return (sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *argv)


def describe(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _appending(log: Path) -> BinaryIO:
    if log.exists() and log.stat().st_size > BIGGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    return log.open("ab")


async def _line(out: asyncio.StreamReader) -> bytes:
    try:
        return await out.readline()
    except ValueError:
        return b"(a line of more than a megabyte was left out)\n"
