"""`tabiji up`: the desk stack from nothing to stopped."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Generator, Mapping
from datetime import UTC, datetime

import structlog

from tabiji.desk import application
from tabiji.desk.child import run_once
from tabiji.desk.plan import SELF, Plan, check, secret_of, sole_user
from tabiji.desk.reload import reload_on_save
from tabiji.desk.stack import Stack
from tabiji.desk.temporal import temporal_ready, worker_ready
from tabiji.errors import ConfigurationError
from tabiji.plugin import JourneyPlugin
from tabiji.settings import Settings
from tabiji.temporal import connect, prepare

log = structlog.stdlib.get_logger(__name__)

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def up(settings: Settings) -> None:
    """Run the desk until Ctrl-C or SIGTERM.

    Raises:
        ConfigurationError: Something is in the way; nothing was started.
        ChildFailed: A process died too often; everything was stopped.
    """
    running = asyncio.create_task(_up(settings))
    with _stopped_by_signals(running), contextlib.suppress(asyncio.CancelledError):
        await running
    log.info("desk.stopped")


async def _up(settings: Settings) -> None:
    application.look()
    plan = Plan.make(settings)
    with sole_user(plan.settings.data):
        check(plan)
        if not plan.own_temporal:
            await prepare(await connect(plan.settings, [JourneyPlugin()]), plan.settings)
        environment = plan.environment(secret_of(plan.settings))
        await _migrated(plan.settings, environment)
        await _run(plan, environment)


async def _run(plan: Plan, environment: dict[str, str]) -> None:
    state = StateFile(plan)
    stack = Stack(
        plan.children(environment, temporal_ready(plan.settings), worker_ready(plan.settings)),
        logs=plan.settings.data / "logs",
        changed=state.write,
    )
    helpers = [asyncio.create_task(_announce(stack, plan, state))]
    if plan.settings.reload:
        helpers.append(asyncio.create_task(reload_on_save(stack, environment)))
    try:
        await stack.run()
    finally:
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
        state.remove()


class StateFile:
    """`stack.json` in the data folder: what runs and where, for other programs. Gone when the desk has stopped."""

    def __init__(self, plan: Plan) -> None:
        self._file = plan.settings.data / "stack.json"
        self._addresses = plan.addresses
        self._pids: dict[str, int] = {}
        self._started = datetime.now(UTC).isoformat()
        self.ready = False

    def write(self, pids: Mapping[str, int]) -> None:
        """Say which processes run now."""
        self._pids = dict(pids)
        state = {
            "pid": os.getpid(),
            "started": self._started,
            "ready": self.ready,
            "children": self._pids,
            "addresses": self._addresses,
        }
        draft = self._file.with_name(".stack.json")
        draft.write_text(json.dumps(state, indent=2))
        draft.replace(self._file)

    def now_ready(self) -> None:
        """Say that everything does its work."""
        self.ready = True
        self.write(self._pids)

    def remove(self) -> None:
        """Nothing runs any more."""
        self._file.unlink(missing_ok=True)


async def _announce(stack: Stack, plan: Plan, state: StateFile) -> None:
    await stack.ready.wait()
    state.now_ready()
    log.info("desk.ready")
    for name, address in plan.addresses.items():
        print(f"  {name:12} {address}")
    print(f"  {'key':12} {plan.settings.data / 'key'}", flush=True)


async def _migrated(settings: Settings, environment: dict[str, str]) -> None:
    """In a process of its own: the supervisor stays small and never holds the database."""
    code, said = await run_once([*SELF, "migrate", "--desk-key", str(settings.data / "key")], environment)
    if code:
        raise ConfigurationError(said.removeprefix("tabiji: ") or f"`tabiji migrate` ended with {code}")


@contextlib.contextmanager
def _stopped_by_signals(running: asyncio.Task[None]) -> Generator[None]:
    """The first signal stops with grace; more of them change nothing, each child's grace is limited anyway."""
    asked = False

    def stop(name: str) -> None:
        nonlocal asked
        log.info("desk.stopping", signal=name, again=asked)
        if not asked:  # a second cancellation would break off the stopping itself
            running.cancel()
        asked = True

    loop = asyncio.get_running_loop()
    for number in STOPPING:
        loop.add_signal_handler(number, stop, number.name)
    try:
        yield
    finally:
        for number in STOPPING:
            loop.remove_signal_handler(number)
