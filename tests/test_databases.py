from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from models.database import Database, insert, table
from models.key import ApiKey


async def test_what_is_written_can_be_read_on_either_database(database: Database) -> None:
    async with database.write() as tx:
        now = await database.now(tx)
        await tx.execute(insert(tx, ApiKey).values(hash="h", name="n", scope="admin", origins=[], recorded_at=now))
    async with database.read() as tx:
        row = (await tx.execute(select(table(ApiKey)))).one()
    assert row.recorded_at == now


async def test_a_new_sqlite_file_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    """Also when the first command is not the one that makes the data folder."""
    file = tmp_path / "data" / "people.sqlite3"
    database = Database(f"sqlite:///{file}")
    try:
        async with database.write() as tx:
            await tx.exec_driver_sql("CREATE TABLE person (name TEXT)")
            there = {each.name: each.stat().st_mode & 0o077 for each in (file.parent, *file.parent.iterdir())}
    finally:
        await database.close()
    assert "people.sqlite3-wal" in there
    assert set(there.values()) == {0}
