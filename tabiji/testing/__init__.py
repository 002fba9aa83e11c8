"""What authors of journeys use in pytest. See docs/testing.md.

async def test_a_silent_trial_is_nudged_once(journeys: JourneyEnvironment) -> None:
    run = await journeys.start(TrialNurture)       a real Temporal server that skips time, no database
    await run.advance(days(2))
    assert journeys.outbox == ["trial/welcome"]

The fixture `journeys` is there wherever tabiji is installed. For whole applications on real parts:

async with skipping_time(JourneyPlugin(journeys=[…], activities=[…])) as temporal:
    …                                       days pass in milliseconds: await temporal.sleep(days(2))

async with dev_server(JourneyPlugin()) as temporal:
    …                                       the server a desk runs, with lists, schedules and resets
"""

from tabiji.domain.changes import Called, OwnOrder
from tabiji.testing.environment import JourneyEnvironment
from tabiji.testing.memory.outside import Question, Task, Webhook
from tabiji.testing.memory.state import Person
from tabiji.testing.mistakes import Mistake
from tabiji.testing.outbox import Mail, Notice
from tabiji.testing.run import Run
from tabiji.testing.servers import binary, dev_server, skipping_time

__all__ = [
    "Called",
    "JourneyEnvironment",
    "Mail",
    "Mistake",
    "Notice",
    "OwnOrder",
    "Person",
    "Question",
    "Run",
    "Task",
    "Webhook",
    "binary",
    "dev_server",
    "skipping_time",
]
