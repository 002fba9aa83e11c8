"""Reloads what a saved file changes, once the file can be loaded."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import structlog
from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType] # its event type needs trio

from tabiji.desk.child import leashed, run_once
from tabiji.desk.plan import SELF
from tabiji.desk.stack import Stack

log = structlog.stdlib.get_logger(__name__)

WATCHED = ("workflows", "activities", "models", "templates", "api", "forms", "hooks", "topics", "worker.py")
API_ALONE = frozenset(("api", "forms", "hooks"))
JOURNEYS = "workflows"
LOOKED_AT = 20
"""People of each journey whose way is replayed on an edit."""


async def reload_on_save(stack: Stack, environment: Mapping[str, str]) -> None:
    """Watch until cancelled. The API finds triggers and conditions in journeys too, so both are reloaded."""
    await stack.ready.wait()
    async with asyncio.TaskGroup() as beside:
        async for saved in _saves():
            if not await _loads(saved):
                continue
            if any(Path(path).parts[0] == JOURNEYS for path in saved):
                beside.create_task(_announce_stranded(environment))
            names = ["api"] if all(Path(path).parts[0] in API_ALONE for path in saved) else ["worker", "api"]
            log.info("desk.reloading", saved=saved, children=names)
            for name in names:
                await stack.reload(name)


async def _announce_stranded(environment: Mapping[str, str]) -> None:
    """At a desk there is one version: an edit reaches people in the middle of a journey, and may break their way."""
    process = await asyncio.create_subprocess_exec(
        *leashed([*SELF, "replay", os.devnull, "--live", str(LOOKED_AT), "--json"]),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **environment},
        process_group=0,
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        found: dict[str, Any] = json.loads(said)
    except ValueError:
        return  # Temporal is away; the next save looks again
    for broken in found["differences"]:
        difference, affected = broken["difference"], broken["affected"]
        people = round(affected["people"] * affected["seen"] / max(affected["sampled"], 1))
        log.warning(
            "desk.people_stranded",
            journey=difference["journey"],
            step=difference["step"],
            source=difference["source"] and "{file}:{line}".format(**difference["source"]),
            people=people,
            was=difference["recorded"],
            here=difference["here"],
            remedy="undo the edit, or end these people's journeys; `tabiji replay --live 20` says more",
        )


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
