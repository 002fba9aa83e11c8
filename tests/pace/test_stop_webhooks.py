"""A stop of everything stops webhooks, too; nothing of them is lost."""

from __future__ import annotations

from models.clock import SystemClock
from models.database import Database
from models.emergency import stop
from models.pause import Scope
from models.pauses import Pauses
from tests.hooks.receivers import house, receiver
from tests.road.parts import Road, did


async def test_webhooks_wait_in_their_queue_until_it_goes_on(sqlite: Database) -> None:
    async with receiver() as to, house(sqlite) as it:
        await it.subscribe(to)
        await stop(sqlite.url.render_as_string(hide_password=False), by="ann", reason=None)
        await Road(sqlite).recorder.record([did("Order Completed", user_id="u-1", email="hanako@example.com")])
        assert await it.deliverer.round() == 0
        assert to.got == []

        await Pauses(sqlite, SystemClock()).resume_target(Scope.EVERYTHING, "", by="ann")
        assert await it.deliverer.round() == 1
        await it.deliverer.settle()
        assert len(to.got) == 1
