"""Mails as a browser shows them: for everybody, wide and narrow."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tabiji.desk.mails.check import Checker
from tabiji.domain.topics import Topics
from tabiji.settings import Settings
from tests.browser.conftest import NARROW, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]
ROOT = Path(__file__).resolve().parents[2]
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa']}"
LOOK = f"async () => (await axe.run({RULES})).violations.map(v => v.id + ': ' + v.nodes[0].html)"
MAILS = ("whitepaper/welcome", "demo/follow-up", "consent/confirm", "sales/notice")


@pytest.mark.parametrize("screen", [NARROW, WIDE], ids=["360px", "wide"])
@pytest.mark.parametrize("name", MAILS)
async def test_nothing_sticks_out_whoever_reads_it(browser: Browser, name: str, screen: dict[str, int]) -> None:
    checker = Checker(Settings(templates=ROOT / "templates"), Topics(), {})
    context = await browser.new_context(viewport={"width": screen["width"], "height": screen["height"]})
    page = await context.new_page()
    for person in checker.people(name):
        await page.set_content(checker.renderer.render(name, checker.facts(name, person)).html)
        widest = await page.evaluate("document.documentElement.scrollWidth")
        assert widest <= screen["width"], f"{name} for {person.name}"
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_can_be_read_with_eyes_and_with_a_reader(browser: Browser, scheme: str) -> None:
    checker = Checker(Settings(templates=ROOT / "templates"), Topics(), {})
    context = await browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = await context.new_page()
    for name in MAILS:
        for person in checker.people(name)[:3]:
            await page.set_content(checker.renderer.render(name, checker.facts(name, person)).html)
            await page.evaluate(AXE)
            assert await page.evaluate(LOOK) == [], f"{name} for {person.name}"
    await context.close()
