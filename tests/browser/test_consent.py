"""The pages on which people decide what they are sent: without JavaScript, at 360 px, by keyboard, in Japanese."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from models.reads.contacts import find_contact
from tests.browser.conftest import NARROW, WIDE, open_page
from tests.browser.test_forms import is_accessible, opened
from tests.browser.test_pages import nothing_sticks_out
from tests.databases import sqlite_database
from tests.forms.site import Site, forms_site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(120),
]


@dataclass(frozen=True)
class Signed:
    """Somebody who has filled in the newsletter's form, and the links they get."""

    site: Site
    contact: UUID
    address: str

    def preferences(self, *, days: int = 0) -> str:
        at = self.site.parts.clock.wall() - timedelta(days=days)
        return self.site.parts.links.preferences(self.contact, self.address, at=at)

    def confirm(self, *, days: int = 0) -> str:
        at = self.site.parts.clock.wall() - timedelta(days=days)
        return self.site.parts.links.confirm(self.contact, "newsletter", self.address, at=at)

    def unsubscribe(self) -> str:
        return self.site.parts.links.unsubscribe(self.contact, "newsletter", "m1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Site]:
    folder: Path = tmp_path_factory.mktemp("consent")
    async with sqlite_database(folder) as database, forms_site(database, folder, address_rate=1000) as site:
        yield site


async def signed_up(site: Site, address: str) -> Signed:
    async with httpx2.AsyncClient(trust_env=False) as visitor:
        await visitor.post(f"{site.url}/f/newsletter", data={"email": address, "consent": "yes"})
    async with site.parts.database.read() as tx:
        contact = await find_contact(tx, "email", address)
    assert contact is not None
    return Signed(site, contact, address)


@pytest.mark.parametrize(("lang", "screen"), [("en", WIDE), ("ja", NARROW)], ids=["wide", "360px"])
async def test_every_page_of_choices_is_accessible(
    site: Site, browser: Browser, lang: str, screen: dict[str, int]
) -> None:
    signed = await signed_up(site, f"{lang}{screen['width']}@example.com")
    links = [signed.confirm(), signed.confirm(days=8), signed.unsubscribe(), signed.preferences()]
    links += [signed.preferences(days=91), f"{site.url}/confirm/broken"]
    for link in links:
        for scheme in ("light", "dark"):
            page = await opened(browser, link, screen, color_scheme=scheme, locale=lang)
            assert await page.get_attribute("html", "lang") == lang
            await is_accessible(page)
            await nothing_sticks_out(page, screen)
            await page.context.close()


async def test_choices_are_made_by_keyboard_and_without_javascript(site: Site, browser: Browser) -> None:
    signed = await signed_up(site, "keys@example.com")
    page = await open_page(browser, signed.preferences(), width=NARROW)
    box = page.get_by_label("Our newsletter")
    await expect(box).not_to_be_checked()
    await box.focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("status")).to_contain_text("Saved")
    await expect(page.get_by_label("Our newsletter")).to_be_checked()
    await page.get_by_role("button", name="Unsubscribe from everything").click()
    await expect(page.get_by_role("status")).to_contain_text("unsubscribed from everything")
    await expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)


async def test_a_sign_up_is_confirmed_with_one_press(site: Site, browser: Browser) -> None:
    signed = await signed_up(site, "press@example.com")
    page = await open_page(browser, signed.confirm(), width=NARROW)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Yes, write to me")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    await page.get_by_role("link", name="Choose what you get").click()
    await expect(page.get_by_label("Our newsletter")).to_be_checked()
