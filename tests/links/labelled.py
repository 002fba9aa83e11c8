"""People and programs that opened mails and followed links, written by hand.

User agents, headers and timing are as makers and mailers describe them; addresses of people are from the ranges for
documentation. A case is what happened to one mail; each touch says who it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Who = Literal["person", "machine"]

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"{WINDOWS} Chrome/141.0.0.0 Safari/537.36"
EDGE = f"{CHROME} Edg/141.0.0.0"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
SAFARI = f"{MAC} Version/18.6 Safari/605.1.15"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.6 Mobile/15E148 Safari/604.1"
)
IPHONE_MAIL = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
)
IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36"
)
XPERIA = (
    "Mozilla/5.0 (Linux; Android 13; SO-51C) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.43 Mobile "
    "Safari/537.36"
)
SAMSUNG = (
    "Mozilla/5.0 (Linux; Android 14; SC-51D) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 "
    "Chrome/121.0.0.0 Mobile Safari/537.36"
)
CUBOT = (
    "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Mobile "
    "Safari/537.36"
)
LINE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "Safari Line/14.14.0"
)
YJAPP = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "YJApp-IOS jp.co.yahoo.ipn.appli/4.110"
)
OLD_SAFARI = f"{MAC} Version/13.1.2 Safari/605.1.15"
IE11 = "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko"
OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)"
OLD_OUTLOOK = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; ms-office; MSOffice 16)"
THUNDERBIRD = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.2.0"
BECKY = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.2; WOW64; Trident/7.0)"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
GMAIL_EARLY = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko; via ggpht.com) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
)
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
APPLE = "Mozilla/5.0"

EN = {"accept": "text/html", "accept-language": "en-GB,en;q=0.9"}
JA = {"accept": "text/html", "accept-language": "ja,en-US;q=0.9,en;q=0.8"}
GOES = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "none"}
NOTHING: Mapping[str, str] = {"accept": "*/*"}
MINUTES, HOURS, DAYS = 60.0, 3600.0, 86400.0


@dataclass(frozen=True)
class Did:
    """One touch, `after` seconds from when the relay took the mail."""

    after: float
    what: Literal["open", "click"]
    who: Who
    agent: str
    headers: Mapping[str, str]
    link: str = "/offer"
    address: str = "203.0.113.7"


@dataclass(frozen=True)
class Case:
    """What happened to one mail."""

    name: str
    did: tuple[Did, ...]


def opens(after: float, agent: str, headers: Mapping[str, str] = NOTHING, *, address: str = "203.0.113.7") -> Did:
    """A person's."""
    return Did(after, "open", "person", agent, headers, address=address)


def clicks(after: float, agent: str, headers: Mapping[str, str], link: str = "/offer") -> Did:
    """A person's."""
    return Did(after, "click", "person", agent, headers, link)


def loads(after: float, agent: str, *, address: str = "198.51.100.9", headers: Mapping[str, str] = NOTHING) -> Did:
    """A program's."""
    return Did(after, "open", "machine", agent, headers, address=address)


def checks(
    after: float,
    agent: str,
    link: str = "/offer",
    *,
    address: str = "198.51.100.9",
    headers: Mapping[str, str] = NOTHING,
) -> Did:
    """A program's."""
    return Did(after, "click", "machine", agent, headers, link, address)


def case(name: str, *did: Did) -> Case:
    """In words."""
    return Case(name, did)


PEOPLE = (
    case("Chrome, an hour later", clicks(HOURS, CHROME, {**EN, **GOES})),
    case("Chrome in Japanese", opens(300, CHROME, JA), clicks(310, CHROME, {**JA, **GOES})),
    case("Edge, in the office", opens(HOURS, EDGE, EN), clicks(HOURS + 20, EDGE, {**EN, **GOES})),
    case("Firefox, next day", clicks(DAYS, FIREFOX, {**EN, **GOES})),
    case("Safari on a Mac", clicks(20 * MINUTES, SAFARI, {**EN, **GOES})),
    case("iPhone in Japanese", clicks(15 * MINUTES, IPHONE, {**JA, **GOES})),
    case("iPhone with Apple Mail's proxy before", loads(30, APPLE), clicks(40 * MINUTES, IPHONE, {**JA, **GOES})),
    case("iPhone whose mail program loads images itself", opens(8 * MINUTES, IPHONE_MAIL, JA)),
    case("iPad, three links while reading", clicks(HOURS, IPAD, {**EN, **GOES}, "/a"),
         clicks(HOURS + 30, IPAD, {**EN, **GOES}, "/b"), clicks(HOURS + 90, IPAD, {**EN, **GOES}, "/c")),
    case("Android", clicks(2 * HOURS, ANDROID, {**EN, **GOES})),
    case("Xperia in Japanese", clicks(45 * MINUTES, XPERIA, {**JA, **GOES})),
    case("Galaxy of docomo", clicks(3 * HOURS, SAMSUNG, {**JA, **GOES})),
    case("a telephone called CUBOT", clicks(HOURS, CUBOT, {**EN, **GOES})),
    case("LINE's own browser", clicks(HOURS, LINE, JA)),
    case("the app of Yahoo! JAPAN", clicks(HOURS, YJAPP, JA)),
    case("old Safari tells nothing of navigation", clicks(HOURS, OLD_SAFARI, EN)),
    case("Internet Explorer mode of an office", clicks(5 * HOURS, IE11, JA)),
    case("Gmail shows the image", opens(7 * MINUTES, GMAIL, address="66.249.84.10")),
    case("Gmail within a minute, then a click", opens(40, GMAIL, address="66.102.8.4"),
         clicks(48, CHROME, {**EN, **GOES})),
    case("Gmail for Android", opens(2 * HOURS, GMAIL, address="66.249.84.12"),
         clicks(2 * HOURS + 5, ANDROID, {**JA, **GOES})),
    case("Yahoo Mail shows the image", opens(HOURS, YAHOO, address="98.137.66.1")),
    case("Outlook shows the image", opens(HOURS, OUTLOOK), clicks(HOURS + 9, EDGE, {**EN, **GOES})),
    case("Outlook 2016 in Japanese", opens(HOURS, OLD_OUTLOOK, JA)),
    case("Thunderbird", opens(11 * MINUTES, THUNDERBIRD, EN)),
    case("Becky!", opens(3 * HOURS, BECKY, JA)),
    case("a code by mail, copied at once", opens(6, GMAIL, address="66.249.84.10"), clicks(9, CHROME, {**EN, **GOES})),
    case("a code by mail, images off", clicks(12, IPHONE, {**JA, **GOES})),
    case("a push on the telephone, read at once", opens(5, IPHONE_MAIL, JA), clicks(8, IPHONE, {**JA, **GOES})),
    case("five tabs an hour later", *(clicks(HOURS + n * 0.9, CHROME, {**EN, **GOES}, f"/{n}") for n in range(5))),
    case("two tabs a quarter of an hour later", clicks(15 * MINUTES, FIREFOX, {**JA, **GOES}, "/a"),
         clicks(15 * MINUTES + 0.8, FIREFOX, {**JA, **GOES}, "/b")),
    case("the same link twice, impatiently", clicks(3 * MINUTES, EDGE, {**JA, **GOES}),
         clicks(3 * MINUTES + 0.7, EDGE, {**JA, **GOES})),
    case("a click two years later", clicks(730 * DAYS, CHROME, {**EN, **GOES})),
    case("a browser shown from afar by a filter's network",
         Did(HOURS, "click", "person", CHROME, {**EN, **GOES}, address="148.163.150.9")),
    case("after a filter has walked the links", checks(4, CHROME, "/a"), checks(4.3, CHROME, "/b"),
         checks(4.5, CHROME, "/c"), clicks(30 * MINUTES, CHROME, {**EN, **GOES}, "/b")),
    case("two links, a few seconds apart, soon after it came", opens(70, GMAIL, address="66.249.84.10"),
         clicks(80, CHROME, {**JA, **GOES}, "/a"), clicks(88, CHROME, {**JA, **GOES}, "/b")),
    case("a page's language is not told by a private window", clicks(5 * MINUTES, FIREFOX, {"accept": "text/html"})),
    case("three tabs at once, images off, four minutes after it came",
         *(clicks(240 + n * 1.5, CHROME, {**EN, **GOES}, f"/{n}") for n in range(3))),
    case("three tabs at once, after reading", opens(200, GMAIL, address="66.249.84.10"),
         *(clicks(240 + n * 1.5, CHROME, {**EN, **GOES}, f"/{n}") for n in range(3))),
)  # fmt: skip # one case a line

PROGRAMS = (
    case("Apple Mail loads beforehand", loads(20, APPLE, address="17.58.101.4")),
    case("Apple Mail loads hours later, by a partner's exit", loads(5 * HOURS, APPLE, address="104.28.30.1")),
    case("Gmail loads at delivery", loads(3, GMAIL_EARLY, address="66.249.84.20")),
    case("the image at the very moment", loads(0.4, CHROME, headers=EN)),
    case("Barracuda by name", checks(6, "Barracuda Sentinel (EE)", address="209.222.82.7")),
    case("Barracuda as Chrome", checks(3, CHROME, address="64.235.150.2", headers=EN)),
    case("Proofpoint as Chrome", checks(8, CHROME, address="67.231.152.9", headers={**EN, **GOES})),
    case("Proofpoint loads the image", loads(8, CHROME, address="148.163.130.3", headers=EN)),
    case("Mimecast", checks(15, CHROME, address="207.211.31.12", headers=EN)),
    case("Microsoft's filter", checks(30, EDGE, address="40.107.7.3", headers={**EN, **GOES})),
    case("Microsoft, with its name", checks(30, "Mozilla/5.0 (compatible; Microsoft-URLAnalyzer/1.0)")),
    case("Office asks before it opens", checks(HOURS, "Microsoft Office Existence Discovery", address="203.0.113.7")),
    case("Cisco", checks(11, CHROME, address="68.232.140.2", headers=EN)),
    case("Trend Micro, in Tokyo", checks(20, IE11, address="150.70.173.40")),
    case("Symantec", checks(9, CHROME, address="67.219.246.3", headers=EN)),
    case("Hornetsecurity", checks(9, FIREFOX, address="94.100.132.4", headers=EN)),
    case("a filter's walk, all at once", *(checks(5, CHROME, f"/{n}", headers={**EN, **GOES}) for n in range(4))),
    case("a filter's walk, a link every second",
         *(checks(40 + n, CHROME, f"/{n}", headers={**EN, **GOES}) for n in range(6))),
    case("a walk of two links", checks(12, CHROME, "/a", headers=EN), checks(12.4, CHROME, "/b", headers=EN)),
    case("a walk with the image on its way", loads(6, CHROME, headers=EN), checks(6.2, CHROME, "/a", headers=EN),
         checks(6.6, CHROME, "/b", headers=EN), checks(7.1, CHROME, "/c", headers=EN)),
    case("a walk under changing names", checks(8, CHROME, "/a", headers=EN), checks(8.5, FIREFOX, "/b", headers=EN),
         checks(9.1, SAFARI, "/c", headers=EN)),
    case("a walk hours later, in haste", *(checks(3 * HOURS + n * 0.2, CHROME, f"/{n}", headers=EN) for n in range(7))),
    case("curl", checks(HOURS, "curl/8.5.0")),
    case("python-requests", checks(60, "python-requests/2.32.3")),
    case("Go", checks(60, "Go-http-client/2.0")),
    case("Java", checks(60, "Java/17.0.9")),
    case("headless Chrome", checks(70, CHROME.replace("Chrome", "HeadlessChrome"), headers={**EN, **GOES})),
    case("no name at all", checks(HOURS, "")),
    case("Googlebot", checks(DAYS, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")),
    case("bingbot as Chrome", checks(DAYS, f"{WINDOWS} (compatible; bingbot/2.0) Chrome/116.0 Safari/537.36")),
    case("Slack shows a preview of a passed-on link", checks(HOURS, "Slackbot-LinkExpanding 1.0")),
    case("WhatsApp shows a preview", checks(HOURS, "WhatsApp/2.23.20.0")),
    case("Facebook shows a preview", checks(HOURS, "facebookexternalhit/1.1")),
    case("LINE shows a preview", checks(HOURS, "facebookexternalhit/1.1;line-poker/1.0")),
    case("a browser fetches beforehand", checks(HOURS, CHROME, headers={**EN, **GOES, "sec-purpose": "prefetch"})),
    case("a browser renders beforehand",
         checks(HOURS, CHROME, headers={**EN, **GOES, "sec-purpose": "prefetch;prerender"})),
    case("an old Firefox fetches beforehand", checks(HOURS, FIREFOX, headers={**EN, "x-moz": "prefetch"})),
    case("Safari's top sites", checks(HOURS, SAFARI, headers={**EN, "x-purpose": "preview"})),
    case("a script on a page asks for a link", checks(HOURS, CHROME, headers={**EN, "sec-fetch-mode": "cors"})),
    case("Gmail's proxy follows no links: somebody uses its name", checks(HOURS, GMAIL)),
    case("a sandbox opens one link as Chrome, in a second", checks(0.6, CHROME, headers=NOTHING)),
    case("a sandbox opens the only link as Chrome, well made", checks(90, CHROME, headers={**EN, **GOES})),
)  # fmt: skip # one case a line

CASES = (*PEOPLE, *PROGRAMS)
