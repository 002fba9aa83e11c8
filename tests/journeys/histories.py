"""Records runs of the main journeys, for the check of every deploy: `tabiji replay`.

python -m tests.journeys.histories      records them anew; read the difference before committing it
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tabiji import days, hours
from tabiji.deploys.histories import FOLDER, save
from tabiji.deploys.record import Recorder
from tabiji.journey.discovery import discover
from tests.databases import sqlite_database
from tests.journeys.relay import relay
from tests.journeys.stage import until
from tests.journeys.test_whitepaper_nurture import on_stage, submits_the_form


async def record() -> None:
    """Play the visitor who orders and the one who ignores everything; keep what Temporal wrote."""
    recorder = Recorder(discover())
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
                    kept = await recorder.record(history)
                    file = save(FOLDER, f"{kept.journey}-{who}", kept.workflow_id, kept.history)
                    print(file.name, len(history.events), "events")


if __name__ == "__main__":
    asyncio.run(record())
