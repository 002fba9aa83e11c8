"""What authors of journeys use in pytest: real Temporal servers, started in under a second.

async with skipping_time(JourneyPlugin(journeys=[…], activities=[…])) as temporal:
    …                                       days pass in milliseconds: await temporal.sleep(days(2))

async with dev_server(JourneyPlugin()) as temporal:
    …                                       the server a desk runs, with lists, schedules and resets
"""

from tabiji.testing.servers import binary, dev_server, skipping_time

__all__ = ["binary", "dev_server", "skipping_time"]
