"""Every map is a drawing Mermaid takes, whatever stands in the journey."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page

from tabiji import Journey
from tabiji.journey.discovery import discover
from tabiji.journey.map import mermaid, read_map
from tests.map.samples import ALL, Characters

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

VERSION = "11.17.2"
SHA512 = "V6K3C8EBdEsPFZXSKMJe6ppQOENxuHARr9GvHX4hh47lAbhMRD9qf4oEK7LoaRQxULMa80/qt5gHO73aCleBBg=="
SCRIPT = "package/dist/mermaid.min.js"


@pytest.fixture(scope="session")
def script(request: pytest.FixtureRequest) -> Path:
    """Mermaid itself, from npm, kept in pytest's cache."""
    assert request.config.cache is not None
    folder = request.config.cache.mkdir("mermaid")
    archive = folder / f"mermaid-{VERSION}.tgz"
    if not archive.exists():
        if shutil.which("npm") is None:
            pytest.skip("npm is not here")
        packed = subprocess.run(
            ["npm", "pack", f"mermaid@{VERSION}", "--silent"], cwd=folder, capture_output=True, check=False
        )
        if packed.returncode:
            pytest.skip("mermaid could not be had from npm")
    assert base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == SHA512
    with tarfile.open(archive) as packed_files:
        packed_files.extract(SCRIPT, folder, filter="data")
    return folder / SCRIPT


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def page(browser: Browser, script: Path) -> AsyncGenerator[Page]:
    blank = await browser.new_page(viewport={"width": 1400, "height": 1000})
    await blank.set_content("<!doctype html><meta charset=utf-8><body></body>")
    await blank.add_script_tag(path=script)
    await blank.evaluate("mermaid.initialize({startOnLoad: false, securityLevel: 'strict', maxTextSize: 1e6})")
    yield blank
    await blank.close()


@pytest.mark.parametrize("journey", [*ALL, *discover()], ids=lambda journey: journey.__name__)
async def test_a_map_is_drawn(page: Page, journey: type[Journey]) -> None:
    drawn = await draw(page, mermaid(read_map(journey)))
    graph = read_map(journey)
    assert await drawn.locator("g.node").count() == len(graph.nodes)
    assert await drawn.locator("g.cluster").count() == len(graph.groups) + 1


async def test_words_arrive_as_they_stand_in_the_source(page: Page) -> None:
    graph = read_map(Characters)
    drawn = await draw(page, mermaid(graph))
    shown = [" ".join(text.split()) for text in await drawn.locator("g.node").all_text_contents()]
    assert sorted(shown) == sorted(node.words for node in graph.nodes)
    assert await page.locator("script[src]").count() == 0
    assert await drawn.locator("script, b, i, a").count() == 0


async def draw(page: Page, text: str) -> Locator:
    await page.evaluate(
        """async text => {
            await mermaid.parse(text);
            const {svg} = await mermaid.render('map', text);
            document.body.innerHTML = svg;
        }""",
        text,
    )
    return page.locator("svg#map")
