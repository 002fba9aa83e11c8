"""Sees to it that every broadcast has its workflow, and that it looks again when something about it was changed.

Every worker does this; what two of them do comes to the same.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from models.database import Database
from models.reads.broadcasts import Kept, to_be_kept
from tabiji.domain.broadcasts import ACTIVE, BROADCAST, WAKE, BroadcastOrder
from tabiji.errors import DatabaseDown

log = structlog.stdlib.get_logger(__name__)

EVERY = 1.0
"""Seconds between looks."""
_RPC = timedelta(seconds=10)


def workflow_id(broadcast_id: object) -> str:
    """Of its workflow."""
    return f"broadcast/{broadcast_id}"


class Keeper:
    """One process's share of it."""

    def __init__(self, client: Client, database: Database, *, task_queue: str) -> None:
        self._client = client
        self._database = database
        self._task_queue = task_queue
        self._told: dict[str, Kept] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.round()
            except (DatabaseDown, RPCError) as problem:
                log.warning("broadcasts.not_kept", problem=type(problem).__name__)
            except Exception:
                log.exception("broadcasts.not_kept")
            await asyncio.sleep(EVERY)

    async def round(self) -> None:
        """Tell each broadcast's workflow of what was changed since the last look."""
        async with self._database.read() as tx:
            there = {str(one.id): one for one in await to_be_kept(tx)}
        for id, one in there.items():
            if self._told.get(id) != one:
                await (self._begin(id, one) if one.state in ACTIVE else self._wake(id))
                self._told[id] = one
        self._told = {id: one for id, one in self._told.items() if id in there}

    async def _begin(self, id: str, one: Kept) -> None:
        await self._client.start_workflow(
            BROADCAST,
            BroadcastOrder(broadcast_id=id),
            id=workflow_id(id),
            task_queue=self._task_queue,
            start_signal=WAKE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            # Terminated by hand, it goes on where the ledger says.
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=one.name,
            rpc_timeout=_RPC,
        )

    async def _wake(self, id: str) -> None:
        try:
            await self._client.get_workflow_handle(workflow_id(id)).signal(WAKE, rpc_timeout=_RPC)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
