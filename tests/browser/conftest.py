"""One desk for all browser tests, and a Chromium that asks nothing of the outside."""

from __future__ import annotations

import shutil
import socket
from collections.abc import AsyncGenerator
from contextlib import ExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tabiji.scaffold import create
from tests.desk.desks import PORTS, Desk

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NARROW, WIDE = {"width": 360, "height": 740}, {"width": 1280, "height": 800}


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Desk]:
    folder = tmp_path_factory.mktemp("browser")
    create(folder / "shop")
    ports = iter(free_ports(len(PORTS)))
    desk = Desk(folder / "shop", folder / "data", lambda: next(ports))
    async with desk.up():
        yield desk


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium here")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield launched
        await launched.close()


async def open_page(browser: Browser, url: str, *, width: dict[str, int]) -> Page:
    """A page as somebody sees it whose browser runs no script of ours."""
    context = await browser.new_context(
        viewport={"width": width["width"], "height": width["height"]}, java_script_enabled=False
    )
    page = await context.new_page()
    await page.goto(url)
    return page


def free_ports(count: int) -> list[int]:
    """Held open together, so that they differ."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
