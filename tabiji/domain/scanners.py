"""Programs that open mails and follow their links, by what they say of themselves and where they come from.

Written down in November 2026 from what the makers publish; each entry names where. Networks of services through
which people browse as well (web gateways, office VPNs) are left out on purpose: a person's click is worth more than
a program's. A house adds its own with TABIJI_SCANNER_NETWORKS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network

PREFETCHES_IMAGES = re.compile(r"^mozilla/5\.0$|ggpht.*edge/12\.246 mozilla/5\.0$", re.IGNORECASE)
"""Image loads nobody asked for. Mail Privacy Protection of Apple Mail says `Mozilla/5.0` and no more (mailers see it
since iOS 15, 2021; Apple's user guide says that it loads images in the background)."""

FETCHES_FOR_A_PERSON = re.compile(r"GoogleImageProxy|YahooMailProxy|OutlookImageProxy|ymail proxy", re.IGNORECASE)
"""Proxies of webmail that load an image when a person opens the mail: Gmail's (`via ggpht.com GoogleImageProxy`, Google
Workspace help: Image URL proxy) and Yahoo's (`YahooMailProxy`, help.yahoo.com SLN28749). They follow no links."""

PROGRAMS = re.compile(
    r"""
      (?<!cu)bot(\b|[/;_-])|crawl|spider|slurp|scrap|headless|phantomjs|puppeteer|playwright|selenium|electron-fetch
    | \b(curl|wget|httpie|libwww|lwp|axios|got|node-fetch|undici|okhttp|guzzlehttp|winhttp|aiohttp|scrapy)\b
    | python|urllib|go-http-client|^java/|^ruby|^perl|^php|apache-httpclient|http[_-]?client|powershell
    | preview|unfurl|embedly|facebookexternalhit|whatsapp/|skypeuripreview|vkshare|pinterest/0|discordapp
    | barracuda|proofpoint|mimecast|ironport|fireeye|trellix|trendmicro|trend\ micro|symantec|messagelabs|sophos
    | forcepoint|websense|fortinet|fortimail|kaspersky|bitdefender|cloudmark|vadesecure|hornetsecurity|avanan|checkpoint
    | url[-_]?(scan|defense|defence|check|analy)|linkscan|link[-_]?check|safelinks|safe\ links|virustotal
    | office\ existence\ discovery|office\ protocol\ discovery|microsoft-cryptoapi|bingpreview|microsoft-url
    | google-safety|google-read-aloud|googledocs|feedfetcher|mediapartners|apis-google|google-inspectiontool
    | uptime|pingdom|nagios|lighthouse|pagespeed|w3c_validator|nutch|zgrab|masscan|nmap|censys
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Names of programs in a user agent: makers of mail filters, previews of chat programs (they fetch what somebody else
was sent), HTTP libraries, crawlers. Office asks `Existence Discovery` before it hands a link to the browser."""


@dataclass(frozen=True)
class Filter:
    """A service that looks at mail for others.

    Attributes:
        source: Where its networks are published.
    """

    name: str
    source: str
    networks: tuple[str, ...]


FILTERS = (
    Filter(
        "proofpoint",
        "Proofpoint: SPF of pphosted.com and ppe-hosted.com; IP addresses of Essentials and PPS (help.proofpoint.com)",
        ("67.231.144.0/20", "148.163.128.0/19", "91.207.212.0/22", "185.132.180.0/22", "185.183.28.0/22"),
    ),
    Filter(
        "mimecast",
        "Mimecast: Data centers and URLs, ranges by region (mimecastsupport.zendesk.com)",
        (
            "207.211.30.0/23", "205.139.110.0/23", "216.205.24.0/24", "170.10.128.0/22", "195.130.217.0/24",
            "91.220.42.0/24", "146.101.78.0/24", "185.58.84.0/22", "51.163.158.0/23", "103.13.69.0/24",
            "103.96.20.0/22", "124.47.150.0/24", "124.47.189.0/24", "41.74.192.0/22",
        ),
    ),
    Filter(
        "barracuda",
        "Barracuda: Email Gateway Defense IP ranges (campus.barracuda.com); registered with ARIN as BARRACUDA",
        ("64.235.144.0/20", "209.222.80.0/21"),
    ),
    Filter(
        "microsoft",
        "Microsoft 365 URLs and IP address ranges, Exchange Online Protection (learn.microsoft.com)",
        ("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17"),
    ),
    Filter(
        "cisco",
        "Cisco Secure Email Cloud Gateway: SPF of iphmx.com (docs.ces.cisco.com)",
        (
            "68.232.128.0/19", "139.138.0.0/18", "184.94.240.0/20", "207.54.64.0/19", "208.90.56.0/21",
            "216.71.128.0/19",
        ),
    ),
    Filter(
        "trendmicro",
        "Trend Micro: registered with ARIN and APNIC; IP ranges of Email Security (docs.trendmicro.com)",
        ("150.70.0.0/16", "216.104.0.0/19"),
    ),
    Filter(
        "symantec",
        "Broadcom: Email Security.cloud IP ranges, SPF of messagelabs.com (techdocs.broadcom.com)",
        (
            "46.226.48.0/21", "67.219.240.0/20", "85.158.136.0/21", "95.131.104.0/21", "103.9.96.0/22",
            "117.120.16.0/21", "193.109.254.0/23", "194.106.220.0/23", "195.245.230.0/23", "216.82.240.0/20",
        ),
    ),
    Filter(
        "hornetsecurity",
        "Hornetsecurity: IP ranges of Control Panel 4 (docs.hornetsecurity.com)",
        ("83.246.65.0/24", "94.100.128.0/20", "185.140.204.0/22", "173.45.18.0/24"),
    ),
)  # fmt: skip # networks by line


class Networks:
    """Networks by whose they are."""

    def __init__(self, named: Iterable[tuple[str, str]]) -> None:
        self._by_version: dict[int, list[tuple[int, int, str]]] = {4: [], 6: []}
        for name, written in named:
            network = ip_network(written, strict=False)
            self._by_version[network.version].append((int(network.network_address), int(network.netmask), name))

    def owner(self, address: str | None) -> str | None:
        """Whose network an address is of."""
        try:
            found = ip_address(address or "")
        except ValueError:
            return None
        number = int(found)
        return next((name for first, mask, name in self._by_version[found.version] if number & mask == first), None)


@lru_cache(maxsize=8)
def known_networks(own: tuple[str, ...] = ()) -> Networks:
    """Those of the mail filters, and a house's own."""
    published = [(one.name, network) for one in FILTERS for network in one.networks]
    return Networks([*published, *(("own list", network) for network in own)])
