"""Tells the team by mail that somebody has answered: who, to what, and what they wrote.

Every worker does it; leases see to it that one of them does. What a relay does not take is tried again, later and
later, under the same Message-ID.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Protocol

import structlog

from activities.teams import Teams
from models.database import Database
from models.replies import Notice, not_told, notices_due, notices_waiting, told
from models.sqlite import Lane
from tabiji.channels.carrier import CarrierError, PermanentFailure
from tabiji.channels.email.compose import Mail, Mailbox, ascii_address
from tabiji.errors import DatabaseDown, UnknownTeam

log = structlog.stdlib.get_logger(__name__)

EVERY = 2.0
"""Seconds between looks."""
LEASE = timedelta(minutes=2)
WITHIN = timedelta(seconds=60)
FIRST, LONGEST = timedelta(minutes=1), timedelta(hours=2)
"""Of the pauses after a failure; each is twice the one before."""
_POLICY = SMTP.clone(cte_type="7bit")


class Carries(Protocol):
    """Anything that can carry a mail. Raises the errors of `tabiji.channels.carrier`."""

    async def send(self, mail: Mail, *, within: timedelta) -> object:
        """Hand it over."""
        ...


class Notices:
    """One process's share of the telling."""

    def __init__(self, database: Database, carrier: Carries, teams: Teams, sender: Mailbox, public_url: str) -> None:
        self._database = database
        self._carrier = carrier
        self._teams = teams
        self._sender = sender
        self._public_url = public_url

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            try:
                while await self.look():
                    pass
            except DatabaseDown as problem:
                log.warning("notices.not_read", problem=type(problem).__name__)
            await asyncio.sleep(EVERY)

    async def look(self) -> int:
        """Tell of what is due now. Returns how much that was."""
        async with self._database.read() as tx:
            if not await notices_waiting(tx):
                return 0
        due = await self._database.transact(lambda tx: notices_due(tx, lease=LEASE), Lane.JOURNEYS)
        for notice in due:
            await self._tell(notice)
        return len(due)

    async def _tell(self, notice: Notice) -> None:
        task = notice.task
        try:
            mail = self._write(notice)
            await self._carrier.send(mail, within=WITHIN)
        except PermanentFailure as refused:
            log.error("notice.refused", task=str(task), reason=str(refused))
            await self._database.transact(lambda tx: told(tx, task), Lane.JOURNEYS)
        except (CarrierError, UnknownTeam) as problem:
            again = min(FIRST * 2 ** min(notice.tries, 10), LONGEST)
            log.warning("notice.not_sent", task=str(task), problem=type(problem).__name__)
            await self._database.transact(lambda tx: not_told(tx, task, again_in=again), Lane.JOURNEYS)
        else:
            log.info("notice.sent", task=str(task), contact_id=str(notice.contact_id))
            await self._database.transact(lambda tx: told(tx, task), Lane.JOURNEYS)

    def _write(self, notice: Notice) -> Mail:
        recipient = self._teams.address(notice.who)
        message = EmailMessage(policy=_POLICY)
        message_id = f"<task-{notice.task.hex}@{self._sender.domain}>"
        message["From"] = self._sender.header
        message["To"] = Address(addr_spec=recipient)
        who = ascii_address(notice.email) if notice.email else None
        if who is not None:
            # Who answers this mail answers the person.
            message["Reply-To"] = Address(addr_spec=who)
        message["Subject"] = f"Somebody has answered {notice.template}"
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = message_id
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(self._words(notice))
        return Mail(content=message.as_bytes(), sender=self._sender.email, recipient=recipient, message_id=message_id)

    def _words(self, notice: Notice) -> str:
        names = (notice.attributes.get(key) for key in ("first_name", "last_name", "name"))
        name = " ".join(str(one) for one in names if one)
        return (
            f"{name or 'Somebody'} <{notice.email or 'no address'}> has answered the mail {notice.template}, "
            f"{notice.at:%Y-%m-%d %H:%M} UTC:\n\n{notice.text}\n\n"
            "-- \n"
            "Answer this mail to write to them. Marketing to them waits until the task is done:\n"
            f"  tabiji task done {notice.task}\n"
            f"  POST {self._public_url}/v1/tasks/{notice.task}/done\n"
        )
