"""Forms as people meet them: by keyboard, at 360 px, without JavaScript, in Japanese, in other sites, over a page."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select
from starlette.requests import Request

from forms.consultation import CONSULTATION
from forms.whitepaper import WHITEPAPER
from models.database import table
from models.event import Event
from tabiji.forms import Choice, Consent, Email, Form
from tests.browser.conftest import NARROW, WIDE, open_page
from tests.browser.test_pages import nothing_sticks_out
from tests.databases import sqlite_database
from tests.forms.site import Site, forms_site, other_site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(120),
]
SCREENS = pytest.mark.parametrize("screen", [NARROW, WIDE], ids=["360px", "wide"])
EVERYWHERE = ("http://127.0.0.1:*",)
MANY = Form(
    "many",
    title="Many",
    fields=(Email(required=True), Choice("country", "Country", tuple("ABCDEFGH"))),
    consents=(Consent("news", "News, please."),),
    button="Send",
    thanks="Thanks",
    hosts=EVERYWHERE,
    redirect="/p/whitepaper?sent=1",
)
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Sites:
    """The application, and a shop on another origin with a strict policy of its own."""

    ours: Site
    shop: Site


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sites(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Sites]:
    folder: Path = tmp_path_factory.mktemp("forms")
    inside = (dataclasses.replace(form, hosts=EVERYWHERE) for form in (WHITEPAPER, CONSULTATION))
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(sqlite_database(folder))
        ours = await stack.enter_async_context(
            forms_site(database, folder, *inside, MANY, form_fill_time=timedelta(0), address_rate=1000)
        )
        shop = await stack.enter_async_context(other_site(shop_pages(ours.url), policy(ours.url)))
        yield Sites(ours, shop)


def policy(ours: str) -> str:
    return f"default-src 'none'; script-src {ours}; frame-src {ours}; style-src 'none'"


def shop_pages(ours: str) -> Any:
    def shop(lang: str, inside: str) -> Any:
        def made(_: Request) -> str:
            return (
                f'<!doctype html><html lang="{lang}"><meta name="viewport" content="width=device-width">'
                f"<title>Shop</title><main><h1>Shop</h1><button id=here>Here</button>{inside}</main></html>"
            )

        return made

    link = (
        f'<a href="{ours}/f/{{0}}" data-tabiji-embed="{{0}}">Get it</a><script src="{ours}/f/{{0}}.js" async></script>'
    )
    popup = f'<script src="{ours}/popup.js" data-form="whitepaper" {{}} async></script>'
    return {
        "/embed": shop("en", link.format("whitepaper")),
        "/sent-on": shop("en", link.format("many")),
        "/called": shop("ja", popup.format("")),
        "/soon": shop("ja", popup.format('data-delay="0.1"')),
        "/kept": shop("en", popup.format('data-delay="0.1" data-remember')),
        "/leaving": shop("en", popup.format("data-exit")),
        "/far": shop("en", "<br>" * 200 + popup.format('data-scroll="60"')),
    }


async def opened(browser: Browser, url: str, screen: dict[str, int] = WIDE, **more: Any) -> Page:
    context: BrowserContext = await browser.new_context(
        viewport={"width": screen["width"], "height": screen["height"]}, **more
    )
    page = await context.new_page()
    await page.goto(url)
    return page


async def is_accessible(page: Page) -> None:
    """By axe-core's rules, best practices too."""
    await page.evaluate(AXE)
    found = await page.evaluate("async () => (await axe.run()).violations.map(v => v.id + ': ' + v.nodes[0].html)")
    assert found == []


async def submitted(sites: Sites, email: str) -> list[dict[str, Any]]:
    """Properties of the forms this address has sent."""
    async with sites.ours.parts.database.read() as tx:
        events = table(Event)
        rows = (await tx.execute(select(events).where(events.c.name == "Form Submitted"))).all()
        found = [row for row in rows if row.contact_id == await _contact(tx, email)]
    return [dict(row.properties) for row in found]


async def _contact(tx: Any, email: str) -> Any:
    from models.contact import Contact

    contacts = table(Contact)
    return await tx.scalar(select(contacts.c.id).where(contacts.c.email == email))


@SCREENS
async def test_every_page_of_forms_is_accessible_empty_wrong_and_sent(
    sites: Sites, browser: Browser, screen: dict[str, int]
) -> None:
    for path in ("/f/whitepaper", "/f/consultation", "/f/many", "/f/whitepaper/embed", "/p/whitepaper"):
        for scheme in ("light", "dark"):
            page = await opened(browser, f"{sites.ours.url}{path}", screen, color_scheme=scheme)
            await is_accessible(page)
            await nothing_sticks_out(page, screen)
            await page.get_by_role("button").click()
            await expect(page.get_by_role("alert")).to_be_focused()
            await expect(page).to_have_title(re.compile("Error|エラー|From a form"))
            await is_accessible(page)
            await nothing_sticks_out(page, screen)
            await page.context.close()


@SCREENS
async def test_a_japanese_form_is_filled_in_without_javascript(
    sites: Sites, browser: Browser, screen: dict[str, int]
) -> None:
    page = await open_page(browser, f"{sites.ours.url}/f/consultation", width=screen)
    address = f"hanako-{screen['width']}@example.com"
    await page.get_by_label("メールアドレス").fill(address)
    await page.get_by_label("姓").fill("旅路")
    await page.get_by_label("電話番号").fill("０３−１２３４−５６７８")
    await page.get_by_label("エンジニア").check()
    await page.get_by_label("シナリオ").check()
    await page.get_by_role("button", name="相談を申し込む").click()

    await page.get_by_role("link", name="「名」を入力してください。").click()
    await expect(page.get_by_label("名", exact=True)).to_be_focused()
    await expect(page.get_by_label("エンジニア")).to_be_checked()
    await expect(page.get_by_label("月に一度")).not_to_be_checked()
    await page.keyboard.type("花子")
    await page.get_by_label("会社名").fill("株式会社例")
    await page.get_by_label("個人情報").check()
    await page.get_by_role("button").click()

    await expect(page.get_by_role("heading", name="お申し込みありがとうございます")).to_be_visible()
    assert await submitted(sites, address) == [{"form": "consultation", "interests": ["journeys"]}]


async def test_a_whole_form_is_sent_by_keyboard_alone(sites: Sites, browser: Browser) -> None:
    page = await opened(browser, f"{sites.ours.url}/f/many")
    await page.keyboard.press("Tab")
    await page.keyboard.type("keys@example.com")
    await page.keyboard.press("Tab")
    await page.keyboard.type("C")
    for key in ("Tab", "Space", "Tab", "Enter"):
        await page.keyboard.press(key)
    await page.wait_for_url("**/p/whitepaper?sent=1")
    assert await submitted(sites, "keys@example.com") == [{"form": "many"}]


async def test_who_filled_in_the_form_downloads_its_file(sites: Sites, browser: Browser) -> None:
    page = await opened(browser, f"{sites.ours.url}/p/whitepaper?utm_source=fair", NARROW)
    await page.get_by_label("E-mail").fill("reader@example.com")
    await page.get_by_role("button").click()
    await is_accessible(page)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download whitepaper.pdf").click()
    assert (await download.value).suggested_filename == "whitepaper.pdf"
    assert await submitted(sites, "reader@example.com") == [
        {"form": "whitepaper", "page": "/p/whitepaper", "utm_source": "fair"}
    ]


@SCREENS
async def test_a_form_stands_in_another_site_at_its_whole_height(
    sites: Sites, browser: Browser, screen: dict[str, int]
) -> None:
    page = await opened(browser, f"{sites.shop.url}/embed?utm_source=shop", screen)
    frame = page.frame_locator("iframe[title='Get the whitepaper']")
    button = frame.get_by_role("button", name="Send me the whitepaper")
    await button.click()
    await expect(frame.get_by_role("alert")).to_be_visible()
    inner = await frame.locator("html").evaluate(
        "html => [html.scrollHeight, innerHeight, html.scrollWidth, innerWidth]"
    )
    assert inner[0] <= inner[1] + 1, "it does not scroll inside"
    assert inner[2] <= inner[3]
    await nothing_sticks_out(page, screen)
    address = f"shop-{screen['width']}@example.com"
    await frame.get_by_label("E-mail").fill(address)
    await button.click()
    await expect(frame.get_by_role("heading", name="Thank you")).to_be_visible()
    assert await submitted(sites, address) == [{"form": "whitepaper", "page": "/embed", "utm_source": "shop"}]


async def test_without_javascript_the_embedded_form_is_a_link(sites: Sites, browser: Browser) -> None:
    page = await open_page(browser, f"{sites.shop.url}/embed", width=NARROW)
    await page.get_by_role("link", name="Get it").click()
    await expect(page.get_by_role("heading", name="Get the whitepaper")).to_be_visible()


async def test_after_an_embedded_form_the_whole_page_goes_on_to_the_declared_place(
    sites: Sites, browser: Browser
) -> None:
    page = await opened(browser, f"{sites.shop.url}/sent-on")
    frame = page.frame_locator("iframe")
    await frame.get_by_label("E-mail").fill("on@example.com")
    await frame.get_by_role("button").click()
    await page.wait_for_url(f"{sites.ours.url}/p/whitepaper?sent=1")


async def test_a_site_the_form_does_not_name_cannot_show_it(sites: Sites, browser: Browser) -> None:
    page = await opened(browser, f"{sites.shop.url}/embed")
    await page.evaluate("url => { document.querySelector('iframe').src = url }", f"{sites.ours.url}/f/newsletter/embed")
    await expect(page.frame_locator("iframe").get_by_role("button")).to_have_count(0)


@SCREENS
async def test_a_popup_opens_once_and_closes_by_keyboard_from_inside_and_outside(
    sites: Sites, browser: Browser, screen: dict[str, int]
) -> None:
    page = await opened(browser, f"{sites.shop.url}/called", screen)
    await page.locator("#here").focus()
    await page.evaluate("tabijiPopup()")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await nothing_sticks_out(page, screen)
    await expect(page.get_by_role("button", name="閉じる")).to_be_focused()
    inside = page.frame_locator("dialog iframe").get_by_label("E-mail")
    await inside.focus()
    await expect(inside).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(page.locator("#here")).to_be_focused()
    await page.evaluate("tabijiPopup()")
    await expect(dialog).to_have_count(0)

    await page.goto(f"{sites.shop.url}/soon")
    await expect(dialog).to_be_visible()
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0, "nothing is kept without consent"
    for _ in range(12):  # round and round: what lies below is never reached
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.id") != "here"
    await page.get_by_role("button", name="閉じる").click()
    await expect(dialog).to_have_count(0)


async def test_with_consent_a_popup_comes_once_and_never_again(sites: Sites, browser: Browser) -> None:
    page = await opened(browser, f"{sites.shop.url}/kept")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.reload()
    await page.evaluate("tabijiPopup()")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_popup_waits_for_who_leaves_or_has_scrolled_far(sites: Sites, browser: Browser) -> None:
    page = await opened(browser, f"{sites.shop.url}/leaving")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.evaluate("document.dispatchEvent(new MouseEvent('mouseout', {clientY: -1, bubbles: true}))")
    await expect(page.get_by_role("dialog")).to_be_visible()

    page = await opened(browser, f"{sites.shop.url}/far")
    await page.evaluate("scrollTo(0, 100)")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight * 0.9)")
    await expect(page.get_by_role("dialog")).to_be_visible()
