"""The script on a shop's pages, in a real browser, against the real API on another host."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright

from api.tracker import SCRIPT
from models.incoming import Incoming
from tabiji.domain.user_hash import user_hash, user_secret
from tests.api.conftest import SECRET
from tests.browser.conftest import FLAGS, NARROW, WIDE, chromium
from tests.browser.sites import DOCUMENT, Shop, complaints_of, mailed, names, only, open_shop
from tests.databases import sqlite_database
from tests.docs.pages import blocks
from tests.links.labelled import CHROME

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]

TALL = "<h1>料金</h1>" + "<p>一行</p>" * 400
CALLS, STUB = (block.text for block in blocks(DOCUMENT, "js"))
STORED = """async () => ({
    cookies: document.cookie, local: {...localStorage}, session: {...sessionStorage},
    databases: (await indexedDB.databases()).length,
})"""
NOTHING: dict[str, Any] = {"cookies": "", "local": {}, "session": {}, "databases": 0}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    async with sqlite_database(folder) as database, open_shop(database, folder) as shop:
        yield shop


@pytest.fixture
def below() -> str:
    """Paths of this test's own."""
    return f"/{uuid4().hex[:8]}"


@asynccontextmanager
async def visitor(browser: Browser, *, quiet: bool = True, **options: Any) -> AsyncGenerator[BrowserContext]:
    """A browser that was never here. Its pages' consoles stay empty of errors, violations of the policy among them."""
    # Chromium without a screen says so, and links in mails would take it for a program.
    options.setdefault("user_agent", CHROME)
    context = await browser.new_context(viewport=options.pop("viewport", WIDE), locale="ja-JP", **options)
    heard: list[list[str]] = []
    context.on("page", lambda page: heard.append(complaints_of(page)))
    try:
        yield context
        if quiet:
            assert [one for some in heard for one in some] == []
    finally:
        await context.close()


async def opened(context: BrowserContext, url: str) -> Page:
    page = await context.new_page()
    await page.goto(url)
    return page


async def who(page: Page) -> str:
    found: str = await page.evaluate("tabiji.id()")
    return found


@pytest.mark.parametrize("screen", [NARROW, WIDE], ids=["phone", "desk"])
async def test_a_page_counts_when_it_comes_and_says_once_how_it_was_read_when_it_goes(
    shop: Shop, browser: Browser, below: str, screen: dict[str, int]
) -> None:
    url = shop.put(f"{below}/料金", "料金表", TALL)
    phone = screen is NARROW
    async with visitor(browser, viewport=screen, is_mobile=phone, has_touch=phone, timezone_id="Asia/Tokyo") as one:
        page = await one.new_page()
        await page.clock.install()
        await page.goto(url + "?token=of-a-password#top", referer="https://search.example/?q=secret")
        (came,) = await shop.heard(below, "Page Viewed")

        address = await page.evaluate("location.origin + location.pathname")
        expected = {"path": f"{below}/料金", "url": address, "title": "料金表", "referrer": "https://search.example/"}
        assert came.properties == expected
        assert came.context["page"] == expected
        assert (came.context["locale"], came.context["timezone"]) == ("ja-JP", "Asia/Tokyo")
        assert came.contact_id == (await shop.contact("anonymous", await who(page))).id

        await page.clock.fast_forward(42_000)
        await page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2 - innerHeight)")
        await page.evaluate("new Promise(requestAnimationFrame)")
        await page.evaluate("scrollTo(0, 0)")
        shop.asked.clear()
        await page.goto("about:blank")
        _, left = await shop.heard(below, "Page Viewed", "Page Left")

        assert shop.asked == ["/v1/b"], "one beacon"
        assert left.properties | expected == left.properties
        assert 42 <= left.properties["seconds"] <= 44
        assert 48 <= left.properties["depth"] <= 52


async def test_before_consent_nothing_stays_in_the_browser(shop: Shop, browser: Browser, below: str) -> None:
    url = shop.put(f"{below}/a", "a")
    async with visitor(browser) as one:
        page = await opened(one, url)
        first = await who(page)
        await page.evaluate("tabiji.identify('u-' + tabiji.id(), {plan: 'free'})")
        await shop.heard(below, "Page Viewed", "Identified")
        assert await page.evaluate(STORED) == NOTHING
        await page.reload()
        assert await who(page) != first
        assert await page.evaluate(STORED) == NOTHING
        assert await one.cookies() == []


@pytest.mark.parametrize("data", [{}, {"domain": "shop.localhost"}], ids=["storage", "cookie"])
async def test_consent_keeps_the_visitor_and_its_withdrawal_forgets_them(
    shop: Shop, browser: Browser, below: str, data: dict[str, str]
) -> None:
    url = shop.put(f"{below}/a", "a", **data)
    async with visitor(browser) as one:
        page = await opened(one, url)
        first = await who(page)
        await page.evaluate("user => tabiji.identify(user, {}, {hash: 'abc'})", f"u{below}")
        await page.evaluate("tabiji.consent(true)")
        kept = await page.evaluate(STORED)
        assert bool(kept["cookies"]) == bool(data)
        assert list(kept["local"]) == ([] if data else ["tabiji"])
        cookies = [{name: one.get(name) for name in ("domain", "path", "sameSite")} for one in await one.cookies()]
        assert cookies == ([{"domain": ".shop.localhost", "path": "/", "sameSite": "Lax"}] if data else [])

        await page.reload()
        assert await who(page) == first
        await shop.heard(below, "Page Viewed", "Identified", "Page Left", "Page Viewed")

        await page.evaluate("tabiji.consent(false)")
        assert await page.evaluate(STORED) == NOTHING
        second = await who(page)
        assert second != first
        await page.evaluate("tabiji.track('Asked')")
        asked = (await shop.heard(below, "Page Viewed", "Identified", "Page Left", "Page Viewed", "Asked"))[-1]
        assert asked.contact_id == (await shop.contact("anonymous", second)).id
        assert asked.contact_id != (await shop.contact("user", f"u{below}")).id, "nor is the user remembered"
        await page.reload()
        assert await who(page) not in (first, second)


async def test_a_site_that_has_consent_says_so_in_the_tag(shop: Shop, browser: Browser, below: str) -> None:
    url = shop.put(f"{below}/a", "a", consent="given")
    async with visitor(browser) as one:
        page = await opened(one, url)
        first = await who(page)
        await page.reload()
        assert await who(page) == first


async def test_a_site_may_hold_everything_back_until_consent(shop: Shop, browser: Browser, below: str) -> None:
    url = shop.put(f"{below}/a", "a", consent="hold")
    async with visitor(browser) as one:
        page = await opened(one, url)
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url))
        await page.evaluate("tabiji.track('Held')")
        await page.evaluate("new Promise(done => setTimeout(done, 100))")
        assert sent == []
        await page.evaluate("tabiji.consent(true)")
        await shop.heard(below, "Page Viewed", "Held")
        await page.evaluate("tabiji.consent(false)")
        await page.evaluate("tabiji.track('Refused')")
        await page.reload()
        await page.evaluate("tabiji.track('Held again')")
        await page.evaluate("tabiji.consent(false)")
        await page.evaluate("tabiji.consent(true)")
        await page.evaluate("tabiji.track('Allowed')")
        await shop.heard(below, "Page Viewed", "Held", "Allowed")


async def test_three_routes_of_one_page_are_three_pages(shop: Shop, browser: Browser, below: str) -> None:
    url = shop.put(f"{below}/一", "一")
    async with visitor(browser) as one:
        page = await opened(one, url)
        for path, title in ((f"{below}/二", "二"), (f"{below}/三", "三")):
            # As routers do: the address first, the title when it has been drawn.
            go = "([path, title]) => { history.pushState({}, '', path); setTimeout(() => document.title = title) }"
            await page.evaluate(go, [path, title])
            await page.evaluate("history.replaceState({scroll: 1}, '', location.href + '#part')")
            await page.wait_for_timeout(80)
        await page.evaluate("history.go(-2)")
        await page.wait_for_timeout(80)
        pages = ["Page Viewed", "Page Left"]
        found = await shop.heard(below, *pages, *pages, *pages, "Page Viewed")

        assert names(found) == [*pages, *pages, *pages, "Page Viewed"]
        viewed = [row.properties for row in found if row.name == "Page Viewed"]
        assert [row["path"].rsplit("/", 1)[1] for row in viewed] == ["一", "二", "三", "一"]
        assert [row["title"] for row in viewed[:3]] == ["一", "二", "三"]
        assert viewed[1]["referrer"] == viewed[0]["url"]
        left = [row.properties["path"].rsplit("/", 1)[1] for row in found if row.name == "Page Left"]
        assert left == ["一", "二", "三"]


async def test_two_tabs_are_one_visitor_until_one_logs_out(shop: Shop, browser: Browser, below: str) -> None:
    url = shop.put(f"{below}/a", "a", consent="given")
    user = f"u-{uuid4().hex}"
    async with visitor(browser) as one:
        first = await opened(one, url)
        await shop.heard(below, "Page Viewed")
        second = await opened(one, url)
        before = await who(first)
        assert await who(second) == before
        await first.evaluate("user => tabiji.identify(user)", user)
        await shop.heard(below, "Page Viewed", "Page Viewed", "Identified")
        await second.evaluate("tabiji.track('Known')")
        found = await shop.heard(below, "Page Viewed", "Page Viewed", "Identified", "Known")
        assert only(found, "Known").contact_id == (await shop.contact("user", user)).id

        await first.evaluate("tabiji.reset()")
        # Browsers tell their other tabs a moment later.
        await second.wait_for_function("before => tabiji.id() != before", arg=before)
        after = await who(second)
        await second.evaluate("tabiji.track('Unknown')")
        found = await shop.heard(below, "Page Viewed", "Page Viewed", "Identified", "Known", "Unknown")
        assert only(found, "Unknown").contact_id == (await shop.contact("anonymous", after)).id
        assert only(found, "Unknown").contact_id != only(found, "Known").contact_id


async def test_another_user_on_the_same_browser_gets_an_id_of_their_own(
    shop: Shop, browser: Browser, below: str
) -> None:
    async with visitor(browser) as one:
        page = await opened(one, shop.put(f"{below}/a", "a"))
        ids = [await who(page)]
        for user in ("u-1", "u-1", "u-2"):
            await page.evaluate("user => tabiji.identify(user)", f"{user}{below}")
            ids.append(await who(page))
        assert ids[0] == ids[1] == ids[2] != ids[3]


async def test_campaigns_and_ad_clicks_come_along_and_other_parameters_do_not(
    shop: Shop, browser: Browser, below: str
) -> None:
    url = shop.put(f"{below}/a", "a", query="plan size")
    said = "utm_source=mail&utm_medium=email&utm_campaign=%E6%98%A5&utm_term=t&utm_content=c&gclid=G1&li_fat_id=L1"
    async with visitor(browser) as one:
        page = await opened(one, f"{url}?{said}&email=hanako@example.com&plan=pro")
        await page.evaluate("history.pushState({}, '', location.pathname + '/b')")
        first, _, second = await shop.heard(below, "Page Viewed", "Page Left", "Page Viewed")

        campaign = {"source": "mail", "medium": "email", "name": "春", "term": "t", "content": "c"}
        for row in (first, second):
            assert row.context["campaign"] == {**campaign, "gclid": "G1", "li_fat_id": "L1"}
        assert first.properties["utm_source"] == "mail"
        assert first.properties["search"] == "?plan=pro"
        assert "search" not in second.properties
        assert "hanako" not in json.dumps([first.properties, first.context])


async def test_ways_out_and_downloads_are_told(shop: Shop, browser: Browser, below: str) -> None:
    body = f"""<a id="in" href="{below}/b">b</a><a id="out" href="{shop.api}/healthz?secret=1"><b>提携先</b></a>
        <a id="file" href="/files/価格表.PDF?v=2">資料</a><a id="named" href="/files/x" download>x</a>
        <a id="mail" href="mailto:hanako@example.com">m</a><a id="none">n</a>"""
    url = shop.put(f"{below}/a", "a", body)
    async with visitor(browser) as one:
        page = await opened(one, url)
        await page.evaluate("addEventListener('click', event => event.preventDefault())")
        for link in ("in", "mail", "none", "file", "named"):
            await page.click(f"#{link}")
        await page.click("#out", button="middle")
        await page.click("#out")
        told = ["File Downloaded", "File Downloaded", "Outbound Link Clicked", "Outbound Link Clicked"]
        found = (await shop.heard(below, "Page Viewed", *told))[1:]

        assert names(found) == told
        file, named, out, _ = (row.properties for row in found)
        assert (file["file"], file["extension"], file["text"]) == ("価格表.PDF", "pdf", "資料")
        assert named == {"url": f"{shop.origin}/files/x", "text": "x"}
        assert out == {"url": f"{shop.api}/healthz", "host": shop.api.removeprefix("http://"), "text": "提携先"}


async def test_a_click_that_leaves_the_page_arrives(shop: Shop, browser: Browser, below: str) -> None:
    url = shop.put(f"{below}/a", "a", f'<a href="{shop.api}/healthz">out</a>')
    async with visitor(browser) as one:
        page = await opened(one, url)
        await page.click("a")
        await page.wait_for_url("**/healthz")
        await shop.heard(below, "Page Viewed", "Outbound Link Clicked", "Page Left")


FORM = """<form data-tabiji-form="見積もり" data-tabiji-traits="email first_name"
  data-tabiji-fields="plan,size,note,password,card,nr,pin,hidden">
<input name="email" type="email" value="{email}"><input name="first_name" value="花子">
<input name="other" value="unnamed"><input name="password" type="password" value="hunter2">
<input name="card" value="4242"><input name="nr" value="\uff14\uff12\uff14\uff12 4242-4242 4242">
<input name="pin" autocomplete="cc-number" value="1"><input name="hidden" type="hidden" value="h1">
<input type="radio" name="plan" value="free"><input type="radio" name="plan" value="pro" checked>
<input type="checkbox" name="size" value="S" checked><input type="checkbox" name="size" value="M" checked>
<textarea name="note">TEL 090-1234-5678</textarea><button>送信</button></form>
<form id="other"><input name="email" value="x"><button>y</button></form>"""


async def test_a_marked_form_tells_what_it_names_and_never_a_secret(shop: Shop, browser: Browser, below: str) -> None:
    address = f"{below[1:]}@example.com"
    url = shop.put(f"{below}/a", "a", FORM.format(email=address))
    async with visitor(browser) as one:
        page = await opened(one, url)
        await page.evaluate("addEventListener('submit', event => event.preventDefault())")
        await page.click("#other button")
        await page.click("text=送信")
        found = await shop.heard(below, "Page Viewed", "Identified", "Form Submitted")

        sent = {"form": "見積もり", "plan": "pro", "size": "S, M", "note": "TEL 090-1234-5678", "hidden": "h1"}
        assert found[-1].properties == sent
        assert (await shop.contact("email", address)).attributes["first_name"] == "花子"


@pytest.mark.parametrize("status", [None, 503, 429], ids=["away", "database away", "too many"])
async def test_the_server_is_away_and_the_page_never_knows(
    shop: Shop, browser: Browser, below: str, status: int | None
) -> None:
    url = shop.put(f"{below}/a", "a")
    async with visitor(browser, quiet=False) as one:
        asked, back = asyncio.Event(), asyncio.Event()

        async def away(route: Route) -> None:
            if back.is_set():
                await route.continue_()
            elif status is None:
                await route.abort("connectionrefused")
            else:
                await route.fulfill(status=status, headers={"Access-Control-Allow-Origin": "*"})
            asked.set()

        await one.route("**/v1/b", away)
        page = await one.new_page()
        complaints = complaints_of(page)
        await page.goto(url)
        await asked.wait()
        await page.evaluate("tabiji.track('Kept')")
        back.set()
        found = await shop.heard(below, "Page Viewed", "Kept")
        assert names(found) == ["Page Viewed", "Kept"]
        # The browser itself notes each request that fails; nothing was thrown.
        assert all(said.startswith("Failed to load resource: ") for said in complaints)


async def test_what_is_refused_for_good_is_not_sent_again(shop: Shop, browser: Browser, below: str) -> None:
    wrong = shop.script().replace(shop.key, "tbj_" + "x" * 43)
    async with visitor(browser, quiet=False) as one:
        page = await one.new_page()
        await page.clock.install()
        async with page.expect_response("**/v1/b") as answer:
            await page.goto(shop.put(f"{below}/a", "a", script=wrong))
        assert (await answer.value).status == 401
        shop.asked.clear()
        await page.clock.run_for(60_000)
        async with page.expect_response("**/v1/b"):
            await page.evaluate("tabiji.track('Refused too')")
        assert shop.asked == ["/v1/b"]


async def test_a_blocked_script_leaves_a_page_that_works(shop: Shop, browser: Browser, below: str) -> None:
    shop.pages[f"{below}/stub.js"] = STUB
    url = shop.put(f"{below}/a", "a", before=f'<script src="{below}/stub.js"></script>')
    async with visitor(browser, quiet=False) as one:
        await one.route("**/t.js", lambda route: route.abort("blockedbyclient"))
        page = await one.new_page()
        thrown: list[str] = []
        page.on("pageerror", lambda error: thrown.append(str(error)))
        await page.goto(url)
        await page.evaluate("tabiji.track('Ordered'); tabiji.identify('u'); tabiji.consent(true); tabiji.reset()")
        assert thrown == []


async def test_calls_before_the_script_are_made_up_for(shop: Shop, browser: Browser, below: str) -> None:
    shop.pages[f"{below}/stub.js"] = STUB
    shop.pages[f"{below}/page.js"] = (
        "const t = tabiji; tabiji.consent(true); tabiji.track('Early', {n: 1});"
        "addEventListener('load', () => t.track('Late'))"
    )
    before = "".join(f'<script src="{below}/{name}.js"></script>' for name in ("stub", "page"))
    url = shop.put(f"{below}/a", "a", before=before)
    async with visitor(browser) as one:
        page = await opened(one, url)
        found = await shop.heard(below, "Page Viewed", "Early", "Late")
        assert names(found) == ["Page Viewed", "Early", "Late"]
        assert found[1].properties == {"n": 1}
        assert (await page.evaluate(STORED))["local"]


async def test_a_phone_that_goes_to_the_background_has_left(shop: Shop, browser: Browser, below: str) -> None:
    url = shop.put(f"{below}/a", "a")
    away = """hidden => {
        Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    async with visitor(browser, viewport=NARROW, is_mobile=True, has_touch=True) as one:
        page = await one.new_page()
        await page.clock.install()
        await page.goto(url)
        await shop.heard(below, "Page Viewed")
        await page.clock.fast_forward(7_000)
        await page.evaluate(away, True)
        left = only(await shop.heard(below, "Page Viewed", "Page Left"), "Page Left")
        assert 7 <= left.properties["seconds"] <= 9

        await page.evaluate(away, False)
        await page.goto("about:blank")
        await page.goto(shop.put(f"{below}/b", "b"))
        await shop.heard(below, "Page Viewed", "Page Left", "Page Viewed")


async def test_time_in_another_tab_is_not_time_on_the_page(shop: Shop, browser: Browser, below: str) -> None:
    url = shop.put(f"{below}/a", "a")
    turn = """hidden => {
        Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    async with visitor(browser) as one:
        page = await one.new_page()
        await page.clock.install()
        await page.goto(url)
        for hidden, seconds in ((True, 5), (False, 600), (True, 3), (False, 600)):
            await page.clock.fast_forward(seconds * 1000)
            await page.evaluate(turn, hidden)
        await page.goto("about:blank")
        left = only(await shop.heard(below, "Page Viewed", "Page Left"), "Page Left")
        assert 8 <= left.properties["seconds"] <= 11


async def test_a_page_that_comes_back_with_the_back_button_is_a_page_again(shop: Shop, below: str) -> None:
    """Kept whole by the browser: no script of it runs again."""
    url, other = shop.put(f"{below}/a", "a"), shop.put(f"{below}/b", "b", script="")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=list(FLAGS), ignore_default_args=["--disable-back-forward-cache"]
        )
        async with visitor(browser) as one:
            page = await opened(one, url)
            await page.evaluate("window.same = true")
            first = await who(page)
            await shop.heard(below, "Page Viewed")
            await page.goto(other)
            await shop.heard(below, "Page Viewed", "Page Left")
            await page.go_back(wait_until="commit")
            await shop.heard(below, "Page Viewed", "Page Left", "Page Viewed")
            assert await page.evaluate("window.same === true"), "the browser had kept it"
            assert await who(page) == first
            await page.goto(other)
            await shop.heard(below, *["Page Viewed", "Page Left"] * 2)
        await browser.close()


async def test_a_link_in_a_mail_says_who_comes_once_and_the_address_bar_keeps_it_to_nobody(
    shop: Shop, browser: Browser, below: str
) -> None:
    url = shop.put(f"{below}/料金", "料金", consent="given")
    message, hanako = await mailed(shop, f"hanako{below[1:]}@example.com")
    link = shop.parts.links.click(message, url + "?plan=b%20c&utm_source=mail#年額")
    async with visitor(browser) as one:
        page = await opened(one, link)
        assert await page.evaluate("location.search") == "?plan=b%20c&utm_source=mail"
        assert await page.evaluate("decodeURI(location.hash)") == "#年額"
        assert await page.evaluate("history.length") == 2
        async with asyncio.timeout(10):
            while (await shop.contact("anonymous", await who(page))).id != hanako:  # noqa: ASYNC110 # another task's doing
                await asyncio.sleep(0.05)
        (came,) = await shop.heard(below, "Page Viewed")
        assert came.contact_id == hanako

    async with visitor(browser) as friend:
        page = await opened(friend, link)
        await shop.heard(below, *["Page Viewed"] * 2, "Page Left")
        assert "tbj" not in page.url
        assert (await shop.contact("anonymous", await who(page))).id != hanako


async def test_the_calls_of_the_document_do_what_it_says(shop: Shop, browser: Browser, below: str) -> None:
    user = f"u-{below[1:]}"
    shop.pages[f"{below}/calls.js"] = "addEventListener('load', () => {" + CALLS.replace("u-1001", user) + "})"
    url = shop.put(f"{below}/a", "a", page="manual", before=f'<script src="{below}/calls.js"></script>')
    async with visitor(browser) as one:
        await opened(one, url)
        found = await shop.heard(below, "Trial Started", "Identified", "Page Viewed")
        assert only(found, "Trial Started").properties == {"plan": "pro"}
        page = only(found, "Page Viewed").properties
        assert (page["name"], page["variant"], page["path"]) == ("Pricing", "B", f"{below}/a")
        assert (await shop.contact("user", user)).attributes["first_name"] == "花子"


async def test_the_form_of_the_document_does_what_it_says(shop: Shop, browser: Browser, below: str) -> None:
    url = shop.put(f"{below}/a", "a", blocks(DOCUMENT, "html")[1].text)
    async with visitor(browser) as one:
        page = await opened(one, url)
        await page.fill("[name=email]", f"{below[1:]}@example.com")
        await page.fill("[name=password]", "hunter2")
        await page.click("button")
        found = await shop.heard(below, "Page Viewed", "Identified", "Form Submitted", "Page Left")
        assert only(found, "Form Submitted").properties == {"form": "quote", "plan": "pro"}
        assert await shop.contact("email", f"{below[1:]}@example.com")


@pytest.mark.parametrize("fits", [True, False])
async def test_a_script_that_is_pinned_runs_as_long_as_it_is_the_same(
    shop: Shop, browser: Browser, below: str, fits: bool
) -> None:
    digest = base64.b64encode(hashlib.sha384(SCRIPT if fits else b"another").digest()).decode()
    pinned = shop.own(blocks(DOCUMENT, "html")[2].text).replace("sha384-…", f"sha384-{digest}")
    url = shop.put(f"{below}/a", "a", script=pinned)
    async with visitor(browser, quiet=fits) as one:
        page = await opened(one, url)
        assert await page.evaluate("typeof window.tabiji") == ("object" if fits else "undefined")


async def test_a_user_hash_speaks_for_the_user(shop: Shop, browser: Browser, below: str) -> None:
    user = f"u-{below[1:]}"
    said = {"email": f"{below[1:]}@example.com"}
    await shop.parts.recorder.record(
        [Incoming("identify", "Identified", uuid4().hex, shop.parts.clock.now(), user_id=user, traits={"plan": "pro"})]
    )
    known = await shop.contact("user", user)
    signed = user_hash(user_secret(SECRET, "pages"), user)
    async with visitor(browser) as one:
        page = await opened(one, shop.put(f"{below}/a", "a"))
        await page.evaluate("([user, said, hash]) => tabiji.identify(user, said, {hash})", [user, said, signed])
        await page.evaluate("tabiji.track('Known')")
        found = await shop.heard(below, "Page Viewed", "Identified", "Known")
        assert only(found, "Known").contact_id == known.id
        assert (await shop.contact("email", said["email"])).id == known.id
