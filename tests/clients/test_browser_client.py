"""`@segment/analytics-next`, unmodified, in a page of another host in a real Chromium."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.async_api import Browser

from tests.clients.conftest import MODULES, House, Person

SCRIPT = MODULES / "@segment" / "analytics-next" / "dist" / "umd" / "index.js"
pytestmark = [
    pytest.mark.clients,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        not SCRIPT.exists(), reason="@segment/analytics-next is not here: make test-clients installs it"
    ),
]


class Site(ThreadingHTTPServer):
    """A shop's pages: each is the same, with the tag in it."""

    tag = ""

    @property
    def url(self) -> str:
        """Its origin, which is not the API's."""
        return f"http://localhost:{self.server_address[1]}"


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site = self.server
        assert isinstance(site, Site)
        script = self.path == "/analytics-next.js"
        body = SCRIPT.read_bytes() if script else f"<!doctype html><title>Shop</title>{site.tag}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def site() -> Generator[Site]:
    site = Site(("127.0.0.1", 0), _Page)
    serving = threading.Thread(target=site.serve_forever)
    serving.start()
    yield site
    site.shutdown()
    serving.join()
    site.server_close()


async def test_analytics_next_drives_the_main_journey(
    house: House, person: Person, site: Site, browser: Browser
) -> None:
    site.tag = await house.snippet("html", 0, person, "browser")
    context = await browser.new_context()
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    house.relay.start(broken=0)

    await page.goto(f"{site.url}/?utm_source=fair&utm_campaign=spring")
    await came(house, "Page Viewed of the start page", 1)
    anonymous: str = await page.evaluate("analytics.user().then((user) => user.anonymousId())")
    await house.expect(anonymousId=anonymous)
    house.relay.start(broken=1)
    await page.evaluate(await house.snippet("js", 0, person))
    await came(house, "identify and track, one of them twice", 3)
    repeated_one = [one.message_ids[0] for one in house.relay.calls]
    assert len(set(repeated_one)) == 2
    await page.goto(f"{site.url}/pricing")
    await house.has_told_sales(person)
    (key,) = {found[0] for one in house.relay.asked if (found := re.findall("tbj_[^/]+", one.path))}
    signed = (await house.snippet("html", 1, person)).replace(
        "made by your server", await house.user_hash(key, person.user_id)
    )
    await page.evaluate(signed.removeprefix("<script>").strip().removesuffix("</script>"))
    await came(house, "identify, signed", 5)
    await context.close()

    contact = await house.contact(person.email)
    assert contact["attributes"] == {"first_name": "花子", "plan": "pro"}
    told = contact["timeline"]
    events = [one for one in reversed(told) if one["kind"] == "event"]
    assert [one["properties"]["path"] for one in events if one["name"] == "Page Viewed"] == ["/", "/pricing"]
    viewed = next(one for one in events if one["name"] == "Page Viewed")
    assert (viewed["properties"]["utm_source"], viewed["properties"]["utm_campaign"]) == ("fair", "spring")
    assert [one["name"] for one in events].count("Form Submitted") == 1
    assert {one.path for one in house.relay.asked} <= {"/v1/p", "/v1/i", "/v1/t"} | settings_of(house)
    assert not wrong


def settings_of(house: House) -> set[str]:
    return {one.path for one in house.relay.asked if one.path.startswith("/v1/projects/")}


async def came(house: House, what: str, count: int) -> None:
    """Wait for calls of the page."""
    try:
        async with asyncio.timeout(30):
            while len(house.relay.calls) < count:  # noqa: ASYNC110 # another process sets no event here
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{what}: {[one.path for one in house.relay.asked]}") from None
