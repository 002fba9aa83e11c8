"""Every way through a birthday, and many of them."""

from __future__ import annotations

from tabiji import days
from tabiji.testing import JourneyEnvironment
from tests.map.coverage import Coverage
from workflows.birthday import Birthday, Gift


async def test_customers_get_a_gift_and_others_wishes(journeys: JourneyEnvironment) -> None:
    ways = Coverage(Birthday)
    friend = await journeys.start(Birthday, contact="friend")
    ways.add(await friend.result())
    assert friend.outbox == ["birthday/wishes"]

    journeys.force("birthday gift", Gift.DISCOUNT)
    saver = await journeys.start(Birthday, contact="saver", tags=("customer",))
    await saver.advance(days(2))
    await saver.happens("Order Completed")
    ways.add(await saver.result())
    assert saver.outbox == ["birthday/discount"]
    assert journeys.contact("saver").attributes["birthday_gifts_used"] == 1

    journeys.force("birthday gift", Gift.SHIPPING)
    busy = await journeys.start(Birthday, contact="busy", tags=("customer",))
    ways.add(await busy.result())
    assert busy.outbox == ["birthday/free-shipping", "birthday/last-days"]
    # A path does not say by which trigger it began.
    ways.check(but=("start:customer_since, 09:00, every year -> steps/has_tag:customer",))
