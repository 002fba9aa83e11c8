"""Tells ops by mail what a breaker has paused. Every worker does it; a lease sees to it that one of them does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

import structlog

from activities.notices import Carries
from models.alarm import take, told, waiting
from models.database import AnyRow, Database
from models.sqlite import Lane
from tabiji.channels.carrier import CarrierError
from tabiji.channels.email.compose import Mail, Mailbox
from tabiji.errors import DatabaseDown

log = structlog.stdlib.get_logger(__name__)

EVERY = 2.0
"""Seconds between looks."""
LEASE = timedelta(minutes=2)
WITHIN = timedelta(seconds=60)
AT_ONCE = 10
_POLICY = SMTP.clone(cte_type="7bit")


class Alarms:
    """One process's share of it. Without `recipient` nobody is told by mail; log, metrics and `tabiji stuck` say it."""

    def __init__(
        self, database: Database, carrier: Carries, sender: Mailbox, recipient: str | None, public_url: str
    ) -> None:
        self._database = database
        self._carrier = carrier
        self._sender = sender
        self._recipient = recipient
        self._public_url = public_url

    async def run(self) -> None:
        """Tell until cancelled."""
        while self._recipient is not None:
            try:
                await self.look()
            except DatabaseDown as problem:
                log.warning("alarms.not_read", problem=type(problem).__name__)
            await asyncio.sleep(EVERY)

    async def look(self) -> int:
        """Tell what is to be told. Returns how much that was."""
        async with self._database.read() as tx:
            if not await waiting(tx):
                return 0
        pauses = await self._database.transact(lambda tx: take(tx, most=AT_ONCE, lease=LEASE), Lane.OUTBOX)
        for pause in pauses:
            await self._tell(pause)
        return len(pauses)

    async def _tell(self, pause: AnyRow) -> None:
        try:
            await self._carrier.send(self._write(pause), within=WITHIN)
        except CarrierError as problem:
            # Told again when the lease is over, under the same Message-ID.
            log.error("alarm.not_sent", pause=str(pause.id), problem=str(problem))
            return
        await self._database.transact(lambda tx: told(tx, pause.id), Lane.OUTBOX)
        log.info("alarm.sent", pause=str(pause.id))

    def _write(self, pause: AnyRow) -> Mail:
        recipient = self._recipient or ""
        message, message_id = EmailMessage(policy=_POLICY), f"<alarm-{pause.id.hex}@{self._sender.domain}>"
        message["From"] = self._sender.header
        message["To"] = Address(addr_spec=recipient)
        message["Subject"] = f"Paused by the breaker: {pause.scope} {pause.target}"
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = message_id
        message["Auto-Submitted"] = "auto-generated"
        message["X-Priority"] = "1"
        message.set_content(
            f"{pause.reason}\n\n"
            f"The {pause.scope} {pause.target} has been paused since {pause.recorded_at:%Y-%m-%d %H:%M:%S} UTC. "
            "Nothing goes out for it, and it stays so until somebody resumes it:\n\n"
            f"  tabiji resume --{pause.scope} {pause.target}\n"
            f"  POST {self._public_url}/v1/pauses/{pause.id}/resume\n\n"
            "Look first what made it: `tabiji pauses`, `tabiji stuck`, the log `breaker.tripped`.\n"
            "All sending at once is stopped by `tabiji stop`.\n"
        )
        return Mail(content=message.as_bytes(), sender=self._sender.email, recipient=recipient, message_id=message_id)
