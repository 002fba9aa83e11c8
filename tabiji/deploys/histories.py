"""Histories to check code against: those on file, and a sample of those that run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from tabiji.deploys.versions import Versions
from tabiji.errors import ConfigurationError
from tabiji.temporal import JOURNEY

FOLDER = Path("tests") / "histories"
RPC_TIMEOUT = timedelta(seconds=10)
AT_ONCE = 16


@dataclass(frozen=True)
class Group:
    """People of one journey in one version."""

    version: str | None
    """Build id; None: of a worker without versions."""
    journey: str
    people: int


def on_file(folder: Path = FOLDER) -> Iterator[WorkflowHistory]:
    """Every recorded history of a folder: as `tabiji record` writes them, or as `temporal workflow show` does.

    Raises:
        ConfigurationError: A file is no recorded history.
    """
    for file in sorted(folder.glob("*.json")):
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            yield WorkflowHistory.from_json(document.get("workflow_id", file.stem), document.get("history", document))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(f"{file} is no recorded history ({type(error).__name__}).") from None


def save(folder: Path, name: str, workflow_id: str, history: dict[str, Any]) -> Path:
    """Write one history. Sorted, so that a difference can be read."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    document = {"workflow_id": workflow_id, "history": history}
    file.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return file


async def groups(client: Client, found: Versions, journeys: Sequence[str] = ()) -> list[Group]:
    """How many people run in which journey and version.

    Args:
        client: Of Temporal.
        found: The versions there are.
        journeys: Only these; empty: all that somebody is in.
    """
    builds = [one.build for one in found.versions if one.people]
    there: list[str | None] = [*builds, *([None] if found.unversioned else [])]
    made = [
        Group(build, journey, await _count(client, running(found.deployment, build, journey)))
        for build in there
        for journey in (journeys or await _journeys(client, running(found.deployment, build)))
    ]
    return [group for group in made if group.people]


def running(deployment: str, build: str | None, journey: str | None = None) -> str:
    """The query for people in a version; None: in none."""
    version = "IS NULL" if build is None else f"= '{deployment}:{build}'"
    which = "IS NOT NULL" if journey is None else f"= '{journey}'"
    return f'ExecutionStatus = "Running" AND {JOURNEY.name} {which} AND TemporalWorkerDeploymentVersion {version}'


async def sample(client: Client, query: str, most: int) -> AsyncIterator[WorkflowHistory]:
    """Histories of some that run. Those that end meanwhile are left out."""
    ids = [found.id async for found in client.list_workflows(query, limit=most, rpc_timeout=RPC_TIMEOUT)]
    for start in range(0, len(ids), AT_ONCE):
        for history in await asyncio.gather(*(_fetched(client, id) for id in ids[start : start + AT_ONCE])):
            if history is not None:
                yield history


async def _fetched(client: Client, id: str) -> WorkflowHistory | None:
    try:
        return await client.get_workflow_handle(id).fetch_history(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _count(client: Client, query: str) -> int:
    return (await client.count_workflows(query, rpc_timeout=RPC_TIMEOUT)).count


async def _journeys(client: Client, query: str) -> list[str]:
    """Names, found one by one: Temporal counts by status alone."""
    names: list[str] = []
    while True:
        but = "".join(f" AND WorkflowType != '{name}'" for name in names)
        more = [found async for found in client.list_workflows(query + but, limit=1, rpc_timeout=RPC_TIMEOUT)]
        if not more:
            return sorted(names)
        names.append(more[0].workflow_type)
