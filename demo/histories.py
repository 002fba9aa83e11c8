"""What Temporal keeps of a journey, read as the bytes that lie in its database."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from temporalio.client import Client, WorkflowExecutionStatus


@dataclass(frozen=True)
class History:
    """One workflow's past."""

    workflow_id: str
    status: str
    events: int
    raw: bytes

    def mentions(self, words: Iterable[str]) -> list[str]:
        """Which of these words stand in it, however written: as they are, in any case, or escaped in JSON."""
        low = self.raw.lower()
        return [word for word in words if any(form.lower().encode() in low for form in (word, json.dumps(word)[1:-1]))]


async def read(address: str, workflow_ids: Iterable[str]) -> list[History]:
    """The history of each, payloads undecoded: they are JSON, and what is in them shows."""
    client = await Client.connect(address)
    found: list[History] = []
    for workflow_id in workflow_ids:
        handle = client.get_workflow_handle(workflow_id)
        status = (await handle.describe()).status or WorkflowExecutionStatus.RUNNING
        events = [event.SerializeToString() async for event in handle.fetch_history_events()]
        found.append(History(workflow_id, status.name.lower(), len(events), b"\n".join(events)))
    return found
