"""One process that takes in mail: what came back, what people answered. `tabiji inbound`."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import structlog

from activities.dispatch import Dispatcher
from models import schema
from models.clock import SystemClock
from models.database import Database
from models.reception import Reception
from models.record import Recorder
from models.returns import Returns, Rules
from tabiji import JourneyPlugin, log, settings
from tabiji.channels.email import addresses
from tabiji.channels.email.compose import Mailbox
from tabiji.channels.email.inbound.door import Door, Limits
from tabiji.domain.journeys import Catalog
from tabiji.errors import ConfigurationError, TabijiError
from tabiji.journey.discovery import discover, discover_topics
from tabiji.settings import Settings
from tabiji.temporal import connect

logger = structlog.stdlib.get_logger(__name__)

LAST_DELIVERIES = 5.0
"""Seconds a stopping process gives its outbox."""


@asynccontextmanager
async def opened(config: Settings) -> AsyncGenerator[Door]:
    """A door that does what comes in says. Temporal may be away: what is recorded is delivered once it is back.

    Raises:
        ConfigurationError: There is no domain for mail to come back to, or a setting is wrong.
    """
    if config.return_domain is None:
        raise ConfigurationError(
            "TABIJI_RETURN_DOMAIN is not set: the domain mail comes back to, e.g. mail.example.com. "
            "Its MX record leads to this process, or to a relay that hands over to it."
        )
    ours = addresses.Returns(config.signing_secret, config.return_domain)
    catalog = Catalog((journey.spec for journey in discover()), unlaunched=config.unlaunched)
    client = await connect(config, [JourneyPlugin()], lazy=True)
    database = Database(config.database, pool=config.database_pool)
    await schema.check(database)
    dispatcher = Dispatcher(client, database, catalog, task_queue=config.task_queue)
    clock = SystemClock(config.clock_shift)
    recorder = Recorder(database, catalog, clock, dispatcher)
    returns = Returns(database, recorder, Rules.of(config, discover_topics()))
    reception = Reception(database, returns, clock, ours)

    async def take(content: bytes, sender: str, recipients: Sequence[str]) -> object:
        return await reception.take(content, sender=sender, recipients=recipients)

    sender = Mailbox.parse(config.mail_from, "TABIJI_MAIL_FROM")
    also = [sender.email.rpartition("@")[0]] if ours.ours(sender.email) else []
    delivering = asyncio.create_task(dispatcher.run())
    try:
        yield Door(ours, take, limits=Limits(largest=config.inbound_largest), also=also, tls=_tls(config))
    finally:
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        try:
            async with asyncio.timeout(LAST_DELIVERIES):
                await dispatcher.settle()
        except TimeoutError:
            pass  # the sweep of any other process delivers the rest
        await dispatcher.close()
        await database.close()


async def serve(config: Settings) -> None:
    """Take mail in until SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with opened(config) as door:
        port = await door.listen(config.inbound_host, config.inbound_port)
        logger.info("inbound.started", host=config.inbound_host, port=port, domain=config.return_domain)
        await stop.wait()
        await door.close()
    logger.info("inbound.stopped", taken=door.counts.taken, put_off=door.counts.put_off, refused=door.counts.refused)


def _tls(config: Settings) -> ssl.SSLContext | None:
    if config.inbound_tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(config.inbound_tls_cert, config.inbound_tls_key)
    except (OSError, ssl.SSLError):
        raise ConfigurationError(
            "TABIJI_INBOUND_TLS_CERT and TABIJI_INBOUND_TLS_KEY must name a certificate and its key, both PEM."
        ) from None
    return context


def main() -> None:
    """Read the settings and serve; one line on standard error when that cannot be."""
    try:
        config = settings.load()
        log.configure(config.log_level, process="inbound")
        asyncio.run(serve(config))
    except TabijiError as error:
        raise SystemExit(f"inbound: {error}") from None


if __name__ == "__main__":
    main()
