"""The supervisor, on small real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from tabiji.desk.child import Child
from tabiji.desk.stack import ChildFailed, Patience, Stack
from tests.desk.conftest import eventually

QUICK = Patience(first=timedelta(milliseconds=20))
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)


async def always(_pid: int) -> bool:
    return True


async def never(_pid: int) -> bool:
    return False


def python(name: str, code: str, **more: object) -> Child:
    values: dict[str, object] = {"ready": always} | more
    return Child(name, (sys.executable, "-c", code), **values)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # a test's shorthand


@asynccontextmanager
async def looked_after(stack: Stack) -> AsyncGenerator[asyncio.Task[None]]:
    running = asyncio.create_task(stack.run())
    try:
        yield running
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError, ChildFailed):
            await running


async def test_a_child_that_dies_is_restarted(tmp_path: Path) -> None:
    pids: list[int] = []
    stack = Stack(
        [python("sleeper", "import time; time.sleep(600)")],
        logs=tmp_path,
        patience=QUICK,
        changed=lambda now: pids.append(now["sleeper"]),
    )
    async with looked_after(stack):
        await stack.ready.wait()
        os.kill(pids[0], signal.SIGKILL)
        await eventually(lambda: len(pids) == 2)
        assert psutil.pid_exists(pids[1])
    assert not any(map(psutil.pid_exists, pids))


async def test_the_fifth_death_stops_the_stack_with_the_reason(tmp_path: Path) -> None:
    """The message has the child's name, how it ended and its last words; the others are stopped."""
    pids: dict[str, int] = {}
    stack = Stack(
        [
            python("bystander", "import time; time.sleep(600)"),
            python("broken", "import sys; print('the disk is full', file=sys.stderr); sys.exit(3)", ready=never),
        ],
        logs=tmp_path,
        patience=QUICK,
        changed=pids.update,
    )
    with pytest.raises(ChildFailed, match="broken ended 5 times, lastly: exit code 3") as failed:
        await stack.run()
    assert "the disk is full" in str(failed.value)
    assert (tmp_path / "broken.log").read_text().count("the disk is full") == 5
    assert not psutil.pid_exists(pids["bystander"])


def test_each_death_doubles_the_pause() -> None:
    patience = Patience(first=timedelta(milliseconds=200))
    assert [patience.pause(deaths) for deaths in (1, 2, 3, 4)] == [0.2, 0.4, 0.8, 1.6]


async def test_deaths_long_ago_are_forgiven(tmp_path: Path) -> None:
    starts: list[int] = []
    stack = Stack(
        [python("brief", "import time; time.sleep(.05)")],
        logs=tmp_path,
        patience=Patience(window=timedelta(milliseconds=100), first=timedelta(milliseconds=20)),
        changed=lambda now: starts.append(now["brief"]),
    )
    async with looked_after(stack) as running:
        await eventually(lambda: len(starts) > 8)
        assert not running.done()


async def test_a_child_that_never_becomes_ready_counts_as_dead(tmp_path: Path) -> None:
    hangs = python("hangs", "import time; time.sleep(600)", ready=never, patience=timedelta(milliseconds=150))
    with pytest.raises(ChildFailed, match=r"hangs ended 5 times, lastly: not ready within 0\.15 seconds"):
        await Stack([hangs], logs=tmp_path, patience=QUICK).run()


async def test_a_child_starts_when_those_it_needs_are_ready_and_stops_before_them(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    says = (
        "import signal, sys, time; say = lambda word: open({!r}, 'a').write(word + '\\n');"
        "signal.signal(signal.SIGTERM, lambda *_: (say('-{}'), sys.exit())); say('+{}'); time.sleep(600)"
    )

    def noted(word: str) -> bool:
        return notes.exists() and word in notes.read_text().split()

    async def first_up(_pid: int) -> bool:
        return noted("+first")

    async def second_up(_pid: int) -> bool:
        return noted("+second")

    stack = Stack(
        [
            python("second", says.format(str(notes), "second", "second"), ready=second_up, after=("first",)),
            python("first", says.format(str(notes), "first", "first"), ready=first_up),
        ],
        logs=tmp_path,
    )
    async with looked_after(stack):
        await stack.ready.wait()
    assert notes.read_text().split() == ["+first", "+second", "-second", "-first"]


async def test_a_child_deaf_to_sigterm_is_killed_when_its_grace_is_over(tmp_path: Path) -> None:
    pids: dict[str, int] = {}
    log = tmp_path / "deaf.log"
    deaf = python("deaf", STUBBORN, grace=timedelta(milliseconds=200))
    async with looked_after(Stack([deaf], logs=tmp_path, changed=pids.update)):
        await eventually(lambda: log.exists() and "deaf" in log.read_text())
    assert not psutil.pid_exists(pids["deaf"])


async def test_a_reload_is_no_death(tmp_path: Path) -> None:
    pids: list[int] = []
    stack = Stack(
        [python("sleeper", "import time; time.sleep(600)")],
        logs=tmp_path,
        patience=Patience(deaths=1),
        changed=lambda now: pids.append(now["sleeper"]),
    )
    async with looked_after(stack) as running:
        await stack.ready.wait()
        for _ in range(3):
            await stack.reload("sleeper")
        assert not running.done()
        assert len(set(pids)) == 4
        assert [psutil.pid_exists(pid) for pid in pids] == [False, False, False, True]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_nothing_is_left_when_the_supervisor_ends(tmp_path: Path, how: signal.Signals) -> None:
    """Not after SIGTERM and Ctrl-C, and on Linux not even after kill -9 of the supervisor."""
    if how is signal.SIGKILL and sys.platform != "linux":
        pytest.skip("only Linux ends children with their parent")
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.desk.small_stack", str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout is not None
    async with asyncio.timeout(20):
        await supervisor.stdout.readline()
    children = psutil.Process(supervisor.pid).children(recursive=how is not signal.SIGKILL)
    assert len(children) >= 3
    supervisor.send_signal(how)
    try:
        await asyncio.wait_for(supervisor.wait(), 20)
    finally:
        if supervisor.returncode is None:
            supervisor.kill()
    await eventually(lambda: not any(child.is_running() for child in children), within=5)
    for orphan in psutil.process_iter(["cmdline"]):
        if str(tmp_path) in " ".join(orphan.info["cmdline"] or ()):
            pytest.fail(f"still there: {orphan}")
