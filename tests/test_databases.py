from __future__ import annotations

from sqlalchemy import select

from models.database import Database, insert, table
from models.key import ApiKey


async def test_what_is_written_can_be_read_on_either_database(database: Database) -> None:
    async with database.write() as tx:
        now = await database.now(tx)
        await tx.execute(insert(tx, ApiKey).values(hash="h", name="n", scope="full", recorded_at=now))
    async with database.read() as tx:
        row = (await tx.execute(select(table(ApiKey)))).one()
    assert row.recorded_at == now
