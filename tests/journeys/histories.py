"""Records runs of the main journeys, for the check of every deploy: `tabiji replay`.

python -m tests.journeys.histories      records them anew; read the difference before committing it
"""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tabiji import days, hours
from tabiji.deploys.histories import FOLDER, save
from tabiji.deploys.record import Recorder
from tabiji.journey.discovery import discover
from tabiji.testing import JourneyEnvironment, Run
from tabiji.testing.memory.house import CARRIERS
from tabiji.testing.server import Server
from tests.databases import sqlite_database
from tests.journeys.relay import relay
from tests.journeys.stage import until
from tests.journeys.test_whitepaper_nurture import on_stage, submits_the_form
from workflows.birthday import Birthday
from workflows.double_opt_in import DoubleOptIn
from workflows.lead_nurturing import LeadNurturing
from workflows.preferences_link import PreferencesLink
from workflows.visit import Visit
from workflows.webinar import Webinar
from workflows.welcome_series import WelcomeSeries

MONDAY = datetime(2027, 3, 1, 9, tzinfo=UTC)


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


async def record_the_others() -> None:
    """Play somebody through each of the journeys to copy."""
    recorder = Recorder(discover())
    server = Server(tuple(CARRIERS))
    server.start()
    try:
        for who, play in OTHERS.items():
            server.renew()
            journeys = JourneyEnvironment(server, templates=Path("templates/email"))
            run = await play(journeys)
            await run.result()
            kept = await recorder.record(await journeys.history(run.id))
            save(FOLDER, f"{kept.journey}-{who}", kept.workflow_id, kept.history)
            journeys.close()
    finally:
        server.stop()


async def _reads(journeys: JourneyEnvironment) -> Run:
    run = await journeys.start(LeadNurturing)
    await run.clicks("lessons/problem")
    return run


async def _celebrates(journeys: JourneyEnvironment) -> Run:
    journeys.person("celebrates", tags=("customer",))
    return await journeys.start(Birthday, contact="celebrates")


async def _visits(journeys: JourneyEnvironment) -> Run:
    journeys.begins(MONDAY)
    journeys.person("visits", consent={"visit": True}, attributes={"visit": "2027-03-05T15:00:00Z"})
    run = await journeys.start(Visit, contact="visits")
    await journeys.advance(days(4) + hours(7))
    await run.happens("Visit Attended")
    return run


async def _attends(journeys: JourneyEnvironment) -> Run:
    journeys.begins(MONDAY)
    journeys.person("attends", consent={"webinar": True}, attributes={"webinar": "2027-03-05T15:00:00Z"})
    run = await journeys.start(Webinar, contact="attends")
    await run.happens("Webinar Registered")
    await journeys.advance(days(4) + hours(7))
    await run.happens("Webinar Attended")
    return run


async def _is_new(journeys: JourneyEnvironment) -> Run:
    return await journeys.start(WelcomeSeries)


async def _confirms(journeys: JourneyEnvironment) -> Run:
    journeys.person("confirms", consent=False)
    journeys.loads(DoubleOptIn)
    [run] = await journeys.asks("confirms", "newsletter")
    await journeys.advance(days(3))
    await journeys.confirms("confirms", "newsletter")
    return run


async def _chooses(journeys: JourneyEnvironment) -> Run:
    journeys.person("chooses", consent=False)
    journeys.loads(PreferencesLink)
    [run] = await journeys.happens("Preferences Requested", contact="chooses")
    return run


OTHERS = {
    "asked": _confirms,
    "chooser": _chooses,
    "reader": _reads,
    "customer": _celebrates,
    "visitor": _visits,
    "attendee": _attends,
    "newcomer": _is_new,
}


if __name__ == "__main__":
    asyncio.run(record())
    asyncio.run(record_the_others())
