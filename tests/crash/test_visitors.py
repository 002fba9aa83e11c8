"""One address, entered by many visitors at once: its owner hears of it once."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from selectolax.lexbor import LexborHTMLParser

from models.contact import Consent
from models.enrollment import Enrollment
from models.event import Event
from models.message import Message
from tests.crash.scene import Scene, free_port
from tests.journeys.stage import until

VISITORS = 20
ADDRESS = "hanako@example.jp"


async def fills_in(http: httpx2.AsyncClient, number: int) -> int:
    """As a browser does it: look at the page, send it back with what is hidden in it."""
    visitor = {"X-Forwarded-For": f"198.51.100.{number}"}
    page = await http.get("/f/whitepaper", params={"anonymous_id": f"a-{number}"}, headers=visitor)
    hidden = {
        str(one.attributes["name"]): str(one.attributes["value"])
        for one in LexborHTMLParser(page.text).css("input[type=hidden]")
    }
    filled = {**hidden, "email": ADDRESS, "consent": "yes", "first_name": f"visitor {number}"}
    return (await http.post("/f/whitepaper", data=filled, headers=visitor)).status_code


@pytest.mark.slow
async def test_one_address_entered_by_twenty_visitors_at_once_is_one_journey_and_one_mail(on_sqlite: Scene) -> None:
    scene, port = on_sqlite, free_port()
    api = scene.api(port)
    api.env = {**api.env, "TABIJI_PROXIES": "127.0.0.1"}
    _, worker = await asyncio.gather(api.start(), scene.worker())
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as http:

        async def ready() -> bool:
            try:
                return (await http.get("/readyz")).status_code == 200
            except httpx2.TransportError:
                return False

        await until(ready, "the API is ready", within=60)
        answers = await asyncio.gather(*(fills_in(http, number) for number in range(VISITORS)))
    [enrollment] = await scene.rows(Enrollment)
    await scene.has_sent(enrollment.id)
    await scene.sleeps(enrollment.id)

    assert answers == [303] * VISITORS
    assert len(await scene.rows(Event, name="Form Submitted")) == VISITORS
    assert sum(scene.relay.mails_to(ADDRESS).values()) == 1
    assert [row.state for row in await scene.rows(Message)] == ["sent"]
    assert {row.contact_id for row in await scene.rows(Consent)} == {enrollment.contact_id}
    assert worker.runs
