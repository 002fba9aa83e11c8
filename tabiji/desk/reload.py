"""Reloads what a saved file changes, once the file can be loaded."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType] # its event type needs trio

from tabiji.desk.child import run_once
from tabiji.desk.plan import SELF
from tabiji.desk.stack import Stack

log = structlog.stdlib.get_logger(__name__)

WATCHED = ("workflows", "activities", "models", "templates", "api", "worker.py")
API_ALONE = "api"


async def reload_on_save(stack: Stack) -> None:
    """Watch until cancelled. The API finds triggers and conditions in journeys too, so both are reloaded."""
    await stack.ready.wait()
    async for saved in _saves():
        if await _loads(saved):
            names = ["api"] if all(Path(path).parts[0] == API_ALONE for path in saved) else ["worker", "api"]
            log.info("desk.reloading", saved=saved, children=names)
            for name in names:
                await stack.reload(name)


async def _saves() -> AsyncIterator[list[str]]:
    watched = [path for path in WATCHED if os.path.exists(path)]  # noqa: ASYNC240 # once
    async for changes in awatch(*watched, debounce=400, raise_interrupt=False):
        here = os.getcwd()
        yield sorted({os.path.relpath(path, here) for _, path in changes})  # noqa: ASYNC240 # touches no file


async def _loads(saved: list[str]) -> bool:
    """A file that is saved half-written must not take down what runs."""
    code, said = await run_once([*SELF, "journeys"], {})
    if code:
        reason = said.splitlines()[-1] if said else f"exit code {code}"
        log.error("desk.reload_refused", saved=saved, reason=reason, still_running="the code from before")
    return code == 0
