"""Recorded runs of the main journeys, for the replay test.

    python -m tests.journeys.histories      records them anew; read the difference before committing it

A history here is what every deploy must be able to replay: contacts' ids are random, nothing else is personal.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from temporalio.client import WorkflowHistory

from tabiji import days, hours
from tests.databases import sqlite_database
from tests.journeys.relay import relay
from tests.journeys.stage import until
from tests.journeys.test_whitepaper_nurture import on_stage, submits_the_form

FOLDER = Path(__file__).parent.parent / "histories"


def recorded() -> Iterator[tuple[str, WorkflowHistory]]:
    """Every history on file with its name."""
    for file in sorted(FOLDER.glob("*.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        yield file.stem, WorkflowHistory.from_json(document["workflow_id"], document["history"])


async def record() -> None:
    """Play the visitor who orders and the one who ignores everything; keep what Temporal wrote."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for who in ("buyer", "ignorer"):
            folder = Path(name) / who
            folder.mkdir()
            async with (
                sqlite_database(folder) as database,
                relay() as smtp,
                on_stage(database, smtp, folder) as play,
            ):
                run = await submits_the_form(play)
                if who == "buyer":
                    await play.advance(days(2) + hours(1))
                    await play.until_waiting_for("Page Viewed")
                    await play.happens("Page Viewed", path="/pricing")
                    await play.until_waiting_for("Demo Attended")
                    await play.happens("Demo Attended")
                    await until(lambda: len(smtp.mails) == 4, "the follow-up")  # awaited in this turn
                    await play.happens("Order Completed")
                await play.finish(run)
                await play.dispatcher.settle()
                follow_up = "onboarding" if who == "buyer" else "stay-in-touch"
                after = play.handle(f"{follow_up}/{run.id.split('/')[1]}/1")
                await play.finish(after)
                for handle in (run, after):
                    history = await handle.fetch_history()
                    file = FOLDER / f"{handle.id.split('/')[0]}-{who}.json"
                    document = {"workflow_id": handle.id, "history": _nobody_s(history.to_json_dict())}
                    file.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
                    print(file.name, len(history.events), "events")


def _nobody_s(node: Any) -> Any:
    """Leave out which process on which machine it was."""
    if isinstance(node, dict):
        fields = cast("dict[str, Any]", node)
        return {key: "worker" if key == "identity" else _nobody_s(value) for key, value in fields.items()}
    if isinstance(node, list):
        return [_nobody_s(value) for value in cast("Iterable[Any]", node)]
    return node


if __name__ == "__main__":
    asyncio.run(record())
