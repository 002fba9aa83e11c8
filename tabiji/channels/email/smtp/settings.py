"""The carrier as the settings say."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

from tabiji.channels.email.compose import Mailbox
from tabiji.channels.email.dkim import Signer
from tabiji.channels.email.smtp.line import Endpoint
from tabiji.channels.email.smtp.queueing import Rates
from tabiji.channels.email.smtp.relay import Route
from tabiji.channels.email.smtp.relays import Relays
from tabiji.domain.relays import RelaySettings
from tabiji.errors import ConfigurationError
from tabiji.settings import Settings


def relays_of(settings: Settings) -> Relays:
    """What carries mails.

    Raises:
        ConfigurationError: A key or a certificate cannot be read.
    """
    rates = Rates(settings.send_rate, settings.domain_rates)
    return Relays(routes_of(settings), rates=rates, signer=signer_of(settings))


def routes_of(settings: Settings) -> list[Route]:
    """The relays: those of TABIJI_RELAYS, else the one of TABIJI_SMTP_….

    Raises:
        ConfigurationError: The certificates of one's own authority cannot be read.
    """
    tls = _trusting(settings.smtp_ca)
    return [_route(one, settings.smtp_idle, tls) for one in settings.relays or (_simple(settings),)]


def signer_of(settings: Settings) -> Signer | None:
    """Who signs; None: nobody here.

    Raises:
        ConfigurationError: A key cannot be used.
    """
    if not settings.dkim_key:
        return None
    domain = settings.dkim_domain or Mailbox.parse(settings.mail_from, "TABIJI_MAIL_FROM").domain
    return Signer.of(domain, keys_of(settings))


def keys_of(settings: Settings) -> list[tuple[str, bytes]]:
    """Selectors and private keys that sign.

    Raises:
        ConfigurationError: A file cannot be read.
    """
    return list(zip(settings.dkim_selector, map(_read, settings.dkim_key), strict=True))


def _route(one: RelaySettings, idle: timedelta, tls: ssl.SSLContext | None) -> Route:
    endpoint = Endpoint(
        host=one.host,
        port=one.port,
        username=one.username,
        password=one.password.get_secret_value() if one.password else None,
        security=one.security,
        tls=tls,
    )
    return Route(
        name=one.known_as,
        endpoint=endpoint,
        connections=one.connections,
        messages=one.messages,
        idle=idle,
        rate=one.rate,
        order=one.order,
        weight=one.weight,
    )


def _simple(settings: Settings) -> RelaySettings:
    return RelaySettings(
        host=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=settings.smtp_password,
        security=settings.smtp_security,
        connections=settings.smtp_connections,
    )


def _trusting(authority: Path | None) -> ssl.SSLContext | None:
    if authority is None:
        return None
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(authority)
    except (OSError, ssl.SSLError):
        raise ConfigurationError(
            f"TABIJI_SMTP_CA: {authority} holds no certificates that can be read, as PEM."
        ) from None
    return context


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise ConfigurationError(
            f"TABIJI_DKIM_KEY: {path} cannot be read ({problem.strerror}). `tabiji mail key` makes one."
        ) from None
