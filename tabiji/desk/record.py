"""`tabiji record`: keeps histories of people for the check of later deploys, scrubbed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from tabiji.deploys.histories import sample, save
from tabiji.deploys.record import Recorder
from tabiji.errors import Refused, Unavailable, UnknownEnrollment
from tabiji.journey.discovery import discover
from tabiji.plugin import JourneyPlugin
from tabiji.settings import Settings
from tabiji.temporal import JOURNEY, connect

STATES = ("Running", "Completed", "Failed", "Canceled")


@dataclass(frozen=True)
class Wanted:
    """Which histories to keep, and what of them."""

    enrollments: Sequence[str] = ()
    """These; empty: a sample."""
    journeys: Sequence[str] = ()
    """Of these journeys; empty: of all."""
    most: int = 20
    """So many are looked at for each journey and state; of those who went the same way one is kept."""
    keep: Collection[str] = ()
    """Properties, attributes and own activities whose values are nobody's."""


def show_recorded(settings: Settings, folder: Path, wanted: Wanted, console: Console | None = None) -> bool:
    """Write histories into a folder and say which. Returns whether all that were named are there.

    Raises:
        Unavailable: Temporal does not answer.
        UnknownEnrollment: One that was named is not there.
    """
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    try:
        written, refused = asyncio.run(_recorded(settings, folder, wanted))
    except RPCError as error:
        raise Unavailable(f"Temporal at {settings.temporal_address} answered {error.status.name}: {error}") from None
    out = console or Console(soft_wrap=True)
    for file, people in sorted(written.items()):
        out.print(f"{file}  {people} of those looked at went this way", markup=False, highlight=False)
    for problem in refused:
        out.print(f"! {problem}", markup=False, highlight=False)
    if not written and not refused:
        out.print("Nobody is or was in a journey here.")
    return bool(written) and not (wanted.enrollments and refused)


async def _recorded(settings: Settings, folder: Path, wanted: Wanted) -> tuple[dict[Path, int], list[str]]:
    """How many went the way of each file, and what was refused."""
    found = discover()
    client = await connect(settings, [JourneyPlugin()])
    recorder = Recorder(found, keep=wanted.keep)
    names = wanted.journeys or [journey.spec.name for journey in found]
    chosen = wanted.enrollments
    histories = _named(client, chosen) if chosen else _some(client, names, wanted.most)
    refused: dict[str, None] = {}
    written: dict[Path, int] = {}
    async for history in histories:
        try:
            recorded = await recorder.record(history)
        except Refused as problem:
            refused[str(problem)] = None
            continue
        file = folder / f"{recorded.name}.json"
        if file not in written:
            save(folder, recorded.name, recorded.workflow_id, recorded.history)
        written[file] = written.get(file, 0) + 1
    return written, list(refused)


async def _named(client: Client, enrollments: Sequence[str]) -> AsyncIterator[WorkflowHistory]:
    for id in enrollments:
        try:
            yield await client.get_workflow_handle(id).fetch_history()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                raise UnknownEnrollment(id) from None
            raise


async def _some(client: Client, journeys: Sequence[str], most: int) -> AsyncIterator[WorkflowHistory]:
    for journey in journeys:
        for state in STATES:
            async for history in sample(client, f"{JOURNEY.name} = '{journey}' AND ExecutionStatus = '{state}'", most):
                yield history
