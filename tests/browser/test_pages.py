"""What visitors and developers see in a browser, at a desk that runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

import httpx2
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import NARROW, WIDE, open_page
from tests.desk.desks import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(180),
]
SCREENS = pytest.mark.parametrize("screen", [NARROW, WIDE], ids=["360px", "wide"])


@SCREENS
async def test_the_form_works_without_javascript(desk: Desk, browser: Browser, screen: dict[str, int]) -> None:
    page = await open_page(browser, form(desk), width=screen)
    await nothing_sticks_out(page, screen)

    await page.get_by_label("E-mail").fill(somebody())
    await page.get_by_label("First name").fill("花子")
    await page.get_by_label(re.compile("^Yes, send me")).check()
    await page.get_by_role("button", name="Send me the whitepaper").click()

    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    await nothing_sticks_out(page, screen)
    await page.reload()
    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


async def test_a_mistake_in_the_form_is_said_at_its_field_and_costs_no_typing(desk: Desk, browser: Browser) -> None:
    page = await open_page(browser, form(desk), width=NARROW)
    await page.get_by_label("E-mail").fill("hanako at example")
    await page.get_by_label("First name").fill("花子")
    await page.get_by_role("button", name="Send me the whitepaper").click()

    await expect(page.get_by_role("alert")).to_contain_text("does not look like an e-mail address")
    address = page.get_by_label("E-mail")
    await expect(address).to_have_attribute("aria-invalid", "true")
    await expect(address).to_have_accessible_description(re.compile("name@example.com"))
    await expect(page.get_by_label("First name")).to_have_value("花子")
    await page.get_by_role("alert").get_by_role("link").click()
    await expect(address).to_be_focused()
    await nothing_sticks_out(page, NARROW)


async def test_the_form_is_filled_in_and_sent_by_keyboard_and_its_trap_is_never_met(
    desk: Desk, browser: Browser
) -> None:
    page = await open_page(browser, form(desk), width=WIDE)
    typed = {"email": somebody(), "first_name": "Hanako", "company": "Tabino"}
    for name, text in typed.items():
        await page.keyboard.press("Tab")
        await expect(page.locator(f"#{name}")).to_be_focused()
        await page.keyboard.type(text)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button")).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


async def test_unsubscribing_takes_one_key_and_is_confirmed(desk: Desk, browser: Browser) -> None:
    mail = await a_mail(desk)
    link = re.search(r"http\S+/u/[^>\s]+", mail.headers["List-Unsubscribe"])
    assert link is not None
    page = await open_page(browser, link[0], width=NARROW)
    await expect(page.get_by_role("heading", name="Stop these mails?")).to_be_visible()
    await nothing_sticks_out(page, NARROW)

    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Unsubscribe", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("button")).to_have_count(0)
    await expect(page.get_by_role("heading")).to_be_visible()
    contact = await desk.ask("GET", f"/v1/contacts?email={mail.to}")
    assert [one["given"] for one in contact["consents"] if one["topic"] == "marketing"] == [False]


@SCREENS
async def test_the_inbox_shows_a_mail_as_its_reader_sees_it(
    desk: Desk, browser: Browser, screen: dict[str, int]
) -> None:
    mail = await a_mail(desk)
    page = await open_page(browser, f"http://127.0.0.1:{desk.port('INBOX')}/", width=screen)
    await nothing_sticks_out(page, screen)
    await page.get_by_role("link").filter(has_text=mail.to).first.click()

    inside = page.frame_locator("iframe")
    await expect(inside.get_by_text("Hi 花子,")).to_be_visible()
    await expect(inside.get_by_role("link", name="Read the whitepaper")).to_be_visible()
    await nothing_sticks_out(page, screen)
    await page.get_by_role("link", name="Text").click()
    await expect(page.locator("pre")).to_contain_text("Hi 花子,")
    await nothing_sticks_out(page, screen)


def form(desk: Desk) -> str:
    return f"http://127.0.0.1:{desk.port('API')}/f/whitepaper"


def somebody() -> str:
    return f"visitor-{uuid4().hex[:8]}@example.com"


async def nothing_sticks_out(page: Page, screen: dict[str, int]) -> None:
    """No page scrolls sideways."""
    width = await page.locator("html").evaluate("html => html.scrollWidth")
    assert width <= screen["width"], f"{page.url} is {width} px wide"


@dataclass(frozen=True)
class Mail:
    to: str
    headers: Mapping[str, str]


async def a_mail(desk: Desk) -> Mail:
    """Somebody fills in the form; the first mail they get."""
    address, inbox = somebody(), f"http://127.0.0.1:{desk.port('INBOX')}/api/messages"
    async with httpx2.AsyncClient(trust_env=False) as http, asyncio.timeout(30):
        sent = await http.post(form(desk), data={"email": address, "first_name": "花子", "consent": "yes"})
        assert sent.status_code == 303, sent.text
        while not (found := (await http.get(inbox, params={"to": address})).json()):  # noqa: ASYNC110 # the inbox sets no event here
            await asyncio.sleep(0.1)
        return Mail(address, (await http.get(f"{inbox}/{found[0]['id']}")).json()["headers"])
