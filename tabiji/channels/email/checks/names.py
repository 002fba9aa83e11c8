"""Asks the DNS. "There is none" is an answer; "nobody answers" is another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import cast

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT
from dns.resolver import NXDOMAIN, Answer, NoAnswer

PATIENCE = timedelta(seconds=5)


class CouldNotAsk(Exception):
    """No server answered, or not with an answer. Nothing is known."""


class NoSuchDomain(Exception):
    """The server that was asked knows no such domain: it is mistyped, or the server is for one's own house alone."""


class Names:
    """Looks names up."""

    def __init__(self, server: str | None = None, *, port: int = 53) -> None:
        """Nothing is asked yet.

        Args:
            server: Address of a name server; None: those of this machine.
            port: Its port.
        """
        self._server = server
        self._port = port

    async def texts(self, name: str) -> list[str]:
        """TXT records of a name, each in one piece; none where there are none.

        Raises:
            CouldNotAsk: Nobody knows.
        """
        try:
            return await self.texts_of_domain(name)
        except NoSuchDomain:
            return []

    async def texts_of_domain(self, name: str) -> list[str]:
        """The same of a domain that must be there.

        Raises:
            CouldNotAsk: Nobody knows.
            NoSuchDomain: It is not there.
        """
        found = await self._asked(name, "TXT")
        return [b"".join(cast("TXT", one).strings).decode("utf-8", "replace") for one in found or ()]

    async def exchanges(self, name: str) -> list[str]:
        """Hosts that take mail for a domain, the preferred ones first.

        Raises:
            CouldNotAsk: Nobody knows.
            NoSuchDomain: It is not there.
        """
        found = sorted((cast("MX", one) for one in await self._asked(name, "MX") or ()), key=lambda one: one.preference)
        return [host for one in found if (host := one.exchange.to_text(omit_final_dot=True)) not in ("", ".")]

    async def _asked(self, name: str, kind: str) -> Answer | None:
        try:
            ask = cast("Callable[..., Awaitable[Answer]]", self._resolver().resolve)
            return await ask(f"{name}.", kind, lifetime=PATIENCE.total_seconds())
        except NoAnswer:
            return None
        except NXDOMAIN:
            raise NoSuchDomain(name) from None
        except (DNSException, OSError) as problem:
            raise CouldNotAsk(type(problem).__name__) from None

    def _resolver(self) -> Resolver:
        resolver = Resolver(configure=self._server is None)
        if self._server is not None:
            resolver.nameservers = [self._server]
            resolver.port = self._port
        return resolver
