"""What it costs to claim a page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.contact import Contact
from models.database import Database, table
from models.ledger import Attempt, Claim, Ledger, Posting
from tabiji.domain.sending.house import House
from tests.broadcasts.hall import NOON, addresses, crowd

ATTEMPT = Attempt(run_id="run", activity_id="1", number=1, span=timedelta(minutes=1))


async def statements(database: Database, broadcast: UUID, people: int) -> list[str]:
    """Those of one page's claims, each as often as its text came, however many rows it wrote."""
    ids = await crowd(database, [f"{new_id().hex}@example.jp" for _ in addresses(people)])
    seen: list[str] = []
    found: list[Any] = []

    def note(sql: str) -> None:
        seen.append(" ".join(sql.split())[:60])

    async def guard(tx: AsyncConnection) -> None:
        assert tx.sync_connection is not None
        driver: Any = tx.sync_connection.connection.driver_connection
        found.append(driver)
        await driver.set_trace_callback(note)

    async with database.read() as tx:
        contacts = table(Contact)
        rows = await tx.execute(select(contacts.c.id, contacts.c.email))
        email = {row.id: row.email for row in rows}
    postings = [
        Posting(
            key=f"broadcast/{broadcast}/{id}",
            contact_id=id,
            at=NOON,
            template="t",
            subject="S",
            address=email[id],
            broadcast_id=broadcast,
            topic="marketing",
        )
        for id in ids
    ]
    answers = await Ledger(database, House(zone=ZoneInfo("UTC"))).claim_page(postings, ATTEMPT, guard=guard)
    assert all(isinstance(answer, Claim) for answer in answers)
    await found[0].set_trace_callback(None)
    inserted = [sql for sql in seen if sql.startswith("INSERT INTO message")]
    return [sql for sql in seen if sql not in inserted] + inserted[:1]


async def test_a_page_of_a_hundred_takes_as_many_statements_as_one_mail(sqlite: Database) -> None:
    one = await statements(sqlite, new_id(), 1)
    many = await statements(sqlite, new_id(), 100)
    assert len(many) == len(one)
    assert len(many) <= 10, many
