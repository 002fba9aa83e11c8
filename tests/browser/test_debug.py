"""The page that follows events as they come, in a real browser on a real desk."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import NARROW, WIDE
from tests.desk.desks import Desk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@asynccontextmanager
async def debugging(browser: Browser, desk: Desk, width: dict[str, int]) -> AsyncGenerator[Page]:
    context = await browser.new_context(viewport={"width": width["width"], "height": width["height"]})
    page = await context.new_page()
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    await page.goto(f"http://127.0.0.1:{desk.port('API')}/debug")
    await page.get_by_label("Key of scope read").fill((desk.data / "key").read_text().strip())
    yield page
    assert mistakes == []
    await context.close()


async def test_an_event_appears_by_itself_with_what_it_did(browser: Browser, desk: Desk) -> None:
    async with debugging(browser, desk, WIDE) as page:
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("Watching")

        await desk.ask(
            "POST", "/v1/track", {"userId": "d1", "event": "資料請求", "properties": {"件名": "<b>太字</b>"}}
        )

        item = page.get_by_role("listitem").filter(has_text="資料請求")
        await expect(item.first).to_contain_text("nothing: no journey starts on '資料請求'")
        await page.get_by_text("What was sent").first.click()
        await expect(page.get_by_text("<b>太字</b>").first).to_be_visible()


async def test_on_a_phone_it_is_no_wider_than_the_screen(browser: Browser, desk: Desk) -> None:
    await desk.ask(
        "POST", "/v1/track", {"userId": "d2", "event": "Form Submitted", "properties": {"form": "whitepaper"}}
    )
    async with debugging(browser, desk, NARROW) as page:
        await page.get_by_role("button", name="Show").click()

        await expect(page.get_by_text("entered whitepaper-nurture").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


async def test_a_wrong_key_is_told_in_words(browser: Browser, desk: Desk) -> None:
    async with debugging(browser, desk, WIDE) as page:
        await page.get_by_label("Key of scope read").fill("tbj_wrong")
        await page.get_by_role("button", name="Show").click()
        await expect(page.get_by_role("status")).to_contain_text("key is not known")
