"""Posts JSON to other people's servers, and to nobody it should not reach.

Addresses come from authors and, through them, from what contacts typed. So the name is resolved first, every address
it stands for must be a public one, and the connection goes to the very address that was looked at: a name that
answers differently the second time gains nothing. Redirects are not followed, proxies of the environment not used.
Hosts of one's own network are reached by naming them in the settings.

Requests are signed as https://www.standardwebhooks.com says, where a secret is set for the host.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx2
from pydantic import JsonValue
from standardwebhooks import Webhook

from tabiji.channels.carrier import PermanentFailure, TemporaryFailure

PORTS = {"http": 80, "https": 443}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
LONGEST_PATIENCE = timedelta(hours=1)
"""What a server may ask for with Retry-After."""
LATER = frozenset({408, 425, 429})
"""Refusals that are none: the same request may be taken later."""

PRIVATE = "the host is in a private network; name it in TABIJI_WEBHOOK_HOSTS to reach it"
_NAME = re.compile(r"[a-z0-9_.:-]+")
IP = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Answered:
    """A final answer: taken (2xx), or refused for good."""

    status: int

    @property
    def ok(self) -> bool:
        """Whether it was taken."""
        return 200 <= self.status < 300


class NotAllowed(PermanentFailure):
    """The address is none we may speak to."""


class TryLater(TemporaryFailure):
    """The server did not take it now. `status` is its answer, 0 where there was none."""

    def __init__(self, words: str, *, status: int = 0, retry_after: timedelta | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.retry_after = retry_after


class WebhookPost:
    """Posts to outside addresses. Share one; close it at the end."""

    def __init__(
        self,
        *,
        hosts: Iterable[str] = (),
        secrets: Mapping[str, str] | None = None,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        """Say which hosts are our own, and what requests are signed with.

        Args:
            hosts: Names, with `:port` where only that port is meant: reached by http too, and at private addresses.
            secrets: By host, in the form `whsec_…`.
            verify: Whose certificates are good; the public authorities' where not given.

        Raises:
            ValueError: A secret is none.
        """
        self._ours = frozenset(host.lower() for host in hosts)
        self._signers = {host.lower(): Webhook(secret) for host, secret in (secrets or {}).items()}
        self._client = httpx2.AsyncClient(verify=verify or True, follow_redirects=False, trust_env=False, timeout=None)

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()

    def is_ours(self, address: str) -> bool:
        """Whether an address leads to a host the settings name."""
        try:
            return self._is_ours(_url(address))
        except NotAllowed:
            return False

    def check(self, address: str) -> str:
        """Look at an address before anything is sent there; its name is looked up only when something is.

        Returns:
            Its host.

        Raises:
            NotAllowed: It is none we may speak to.
        """
        url, ours = self._allowed(address)
        with suppress(ValueError):
            if not ours and not is_public(ipaddress.ip_address(_host(url))):
                raise NotAllowed(PRIVATE)
        return _host(url)

    async def post(
        self,
        address: str,
        data: Mapping[str, JsonValue],
        *,
        id: str,
        at: datetime,
        test: bool,
        within: timedelta,
        secrets: Sequence[str] | None = None,
    ) -> Answered:
        """Post, and return what the server said; its body is not read.

        Args:
            address: Where to; https, unless the host is one of ours.
            data: The body, as it is.
            id: The same for every copy of this request: the other side recognises a repeat by it.
            at: The wall's clock, UTC.
            test: It is a rehearsal; the other side is told so.
            within: How long it may take in all.
            secrets: What it is signed with, each of them; that of the host, where not given.

        Raises:
            NotAllowed: The address is none we may speak to. Nothing was sent.
            TryLater: Nobody answers, or the answer says to come again (5xx, 408, 425, 429).
        """
        url, ours = self._allowed(address)
        body = json.dumps(dict(data), ensure_ascii=False, separators=(",", ":"))
        signers = self._signers_of(url) if secrets is None else [Webhook(secret) for secret in secrets]
        headers = _headers(body, signers, id=id, at=at) | ({"tabiji-test": "1"} if test else {})
        try:
            async with asyncio.timeout(within.total_seconds()):
                reached = await _resolve(url, private=ours)
                return await self._send(url, reached, headers, body.encode())
        except TimeoutError:
            raise TryLater(f"no answer within {within.total_seconds():.0f} s") from None

    async def _send(self, url: httpx2.URL, reached: list[IP], headers: dict[str, str], body: bytes) -> Answered:
        name = url.raw_host.decode("ascii")
        for place, ip in enumerate(reached):
            request = self._client.build_request(
                "POST",
                url.copy_with(host=str(ip)),
                headers={**headers, "host": url.netloc.decode("ascii")},
                content=body,
                extensions={"sni_hostname": name},
            )
            try:
                answer = await self._client.send(request, stream=True)
            except httpx2.ConnectError:
                if place + 1 < len(reached):
                    continue
                raise TryLater("no connection") from None
            except httpx2.HTTPError as error:
                raise TryLater(type(error).__name__) from None
            await answer.aclose()
            return _verdict(answer)
        raise TryLater("the host has no address")

    def _allowed(self, address: str) -> tuple[httpx2.URL, bool]:
        """The address, and whether it is one of ours."""
        url = _url(address)
        ours = self._is_ours(url)
        if url.scheme != "https" and not ours:
            raise NotAllowed("only https addresses are called; http needs the host in TABIJI_WEBHOOK_HOSTS")
        return url, ours

    def _signers_of(self, url: httpx2.URL) -> list[Webhook]:
        signer = self._signers.get(_host(url))
        return [] if signer is None else [signer]

    def _is_ours(self, url: httpx2.URL) -> bool:
        return bool({_host(url), f"{_host(url)}:{url.port or PORTS[url.scheme]}"} & self._ours)


def _headers(body: str, signers: Sequence[Webhook], *, id: str, at: datetime) -> dict[str, str]:
    headers = {
        "content-type": "application/json",
        "user-agent": "tabiji",
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
    }
    if signers:
        headers["webhook-signature"] = " ".join(signer.sign(id, at, body) for signer in signers)
    return headers


def _url(address: str) -> httpx2.URL:
    try:
        url = httpx2.URL(address)
    except (httpx2.InvalidURL, ValueError):
        raise NotAllowed("it is no address of the web") from None
    if url.scheme not in PORTS or not _NAME.fullmatch(_host(url)):
        raise NotAllowed("it is no address of the web")
    if url.userinfo:
        raise NotAllowed("a password in the address would stand in Temporal's history; use a secret instead")
    return url


def _host(url: httpx2.URL) -> str:
    return url.raw_host.decode("ascii").lower().rstrip(".")


async def _resolve(url: httpx2.URL, *, private: bool) -> list[IP]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            _host(url), url.port or PORTS[url.scheme], type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError):
        raise TryLater("the host is not known") from None
    reached = list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))
    # One private address among public ones is no accident.
    if not private and not all(is_public(ip) for ip in reached):
        raise NotAllowed(PRIVATE)
    return reached


def is_public(ip: IP) -> bool:
    """Whether an address is one of the open Internet, also where it wraps another."""
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified


def _verdict(answer: httpx2.Response) -> Answered:
    status = answer.status_code
    if status >= 500 or status in LATER:
        raise TryLater(f"answered {status}", status=status, retry_after=_patience(answer.headers.get("retry-after")))
    return Answered(status)


def _patience(asked: str | None) -> timedelta | None:
    """Only the form in seconds: the other one needs both clocks to agree."""
    if asked is None or not asked.isdecimal() or len(asked) > 6:
        return None
    return min(timedelta(seconds=int(asked)), LONGEST_PATIENCE)
