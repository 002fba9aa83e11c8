"""All that can be asked from here, for the settings at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from ipaddress import ip_address

from tabiji.channels.email.checks import records
from tabiji.channels.email.checks.findings import Finding, State
from tabiji.channels.email.checks.names import CouldNotAsk, Names, NoSuchDomain
from tabiji.channels.email.compose import Mailbox
from tabiji.channels.email.dkim import record_of, zone_line
from tabiji.channels.email.smtp.line import Broken, Endpoint, Refused, connect
from tabiji.channels.email.smtp.relay import Route
from tabiji.channels.email.smtp.settings import keys_of, routes_of
from tabiji.errors import ConfigurationError
from tabiji.settings import Settings

PATIENCE = timedelta(seconds=15)
_HERE = ("localhost", "mailpit")


async def check(settings: Settings, names: Names) -> list[Finding]:
    """Ask the relays and the DNS.

    Raises:
        ConfigurationError: The sender in the settings is no address.
    """
    sender = Mailbox.parse(settings.mail_from, "TABIJI_MAIL_FROM").domain
    questions: list[Awaitable[Finding]] = [_relay(route) for route in routes_of(settings)]
    questions += _signatures(settings, sender, names)
    path = settings.return_domain or sender
    questions.append(_known(f"SPF of {path}", lambda: _spf(path, names)))
    questions.append(_known(f"DMARC of {sender}", lambda: _dmarc(sender, names)))
    if settings.return_domain:
        questions.append(_known(f"mail exchanger of {path}", lambda: _exchanger(path, names)))
    answers = list(await asyncio.gather(*questions))
    checked = [("signature", settings.dkim_domain or sender)] if settings.dkim_key else []
    if settings.return_domain:
        checked.append(("return path", settings.return_domain))
    # Without a return domain the envelope names the sender himself: SPF stands for him, if the relay leaves it so.
    return [*answers, records.aligned(sender, checked or [("return path", sender)])]


async def _relay(route: Route) -> Finding:
    about = f"relay {route.name}"
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            line = await connect(route.endpoint)
            await line.quit()
    except Refused as refusal:
        return Finding(about, State.WRONG, f"it does not let us in: {refusal.reply.said}", _way_in(route.endpoint))
    except Broken as broken:
        return Finding(about, State.WRONG, str(broken), "are host, port and security right, and may this machine out?")
    except TimeoutError:
        return Finding(about, State.WRONG, "no answer: is the port right, and may this machine out?")
    if route.endpoint.security == "none" and not _is_here(route.endpoint.host):
        words = "mails" + (" and the password" if route.endpoint.username else "") + " travel in clear"
        return Finding(about, State.WRONG, words, "TABIJI_SMTP_SECURITY=starttls, or tls")
    return Finding(about, State.OK, _entered(route.endpoint, pipelining=line.pipelining))


def _entered(endpoint: Endpoint, *, pipelining: bool) -> str:
    how = "reached" if endpoint.security == "none" else f"reached by {endpoint.security}, its certificate is good"
    login = ", logged in" if endpoint.username else ""
    return f"{how}{login}; {'offers' if pipelining else 'does not offer'} PIPELINING"


def _way_in(endpoint: Endpoint) -> str:
    return "are user and password right?" if endpoint.username else "does it want a login?"


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return host in _HERE


def _signatures(settings: Settings, sender: str, names: Names) -> list[Awaitable[Finding]]:
    if not settings.dkim_key:
        return [_unsigned()]
    domain = settings.dkim_domain or sender
    try:
        keys = [(selector, record_of(pem)) for selector, pem in keys_of(settings)]
    except ConfigurationError as problem:
        return [_unreadable(str(problem))]
    return [_signature(domain, selector, record, names) for selector, record in keys]


async def _signature(domain: str, selector: str, record: str, names: Names) -> Finding:
    name = f"{selector}._domainkey.{domain}"

    async def ask() -> Finding:
        return records.dkim(name, await names.texts(name), record, zone_line(selector, domain, record))

    return await _known(f"DKIM key at {name}", ask)


async def _unsigned() -> Finding:
    words = "mails are not signed here: the relay has to, for the sender's domain"
    return Finding("DKIM", State.ADVICE, words, "`tabiji mail key` makes a key and prints what the DNS has to say")


async def _unreadable(problem: str) -> Finding:
    return Finding("DKIM", State.WRONG, problem)


async def _spf(domain: str, names: Names) -> Finding:
    return records.spf(domain, await names.texts_of_domain(domain))


async def _dmarc(domain: str, names: Names) -> Finding:
    """Of the domain itself, else of one above it."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        above = ".".join(labels[start:])
        texts = await names.texts(f"_dmarc.{above}")
        if texts:
            return records.dmarc(above, texts)
    return records.dmarc(domain, [])


async def _exchanger(domain: str, names: Names) -> Finding:
    about = f"mail exchanger of {domain}"
    hosts = await names.exchanges(domain)
    if hosts:
        return Finding(about, State.OK, f"{', '.join(hosts)}: what comes back must reach `tabiji inbound` from there")
    todo = f"{domain}. IN MX 10 <the host of `tabiji inbound`>"
    return Finding(about, State.WRONG, "there is none: bounces and answers are lost", todo)


async def _known(about: str, ask: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await ask()
    except NoSuchDomain as domain:
        words = f"the name server knows no domain {domain}: mistyped, or it is one for your own house alone"
        return Finding(about, State.UNKNOWN, words, "ask one of the world: --dns 1.1.1.1")
    except CouldNotAsk as problem:
        return Finding(about, State.UNKNOWN, f"no name server answered ({problem})", "try again, or name one: --dns")
