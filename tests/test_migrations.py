"""The revisions and the models say the same, on both databases, and nobody is left guessing when they do not."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import uuid
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text

from models import schema
from models.base import metadata, new_id
from models.contact import Contact, ContactTag
from models.database import Database, insert, table
from models.key import ApiKey
from models.schema import check, downgrade, upgrade
from tabiji.errors import ConfigurationError, DatabaseDown
from tests.databases import PostgresServer

ROOT = Path(__file__).parent.parent


@pytest.fixture
async def empty_sqlite(tmp_path: Path) -> AsyncGenerator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'empty 100%.sqlite3'}", pool=2)
    yield database
    await database.close()


@pytest.fixture
async def empty_postgresql(postgres: PostgresServer) -> AsyncGenerator[Database]:
    name = f"empty_{uuid.uuid4().hex}"
    await postgres.run(f"CREATE DATABASE {name}")
    database = Database(postgres.url(name), pool=2)
    yield database
    await database.close()
    await postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest) -> Database:
    """A database nobody has migrated."""
    return cast("Database", request.getfixturevalue(f"empty_{request.param}"))


def url(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


async def look(database: Database) -> set[str]:
    async with database.read() as tx:
        return set(await tx.run_sync(lambda connection: inspect(connection).get_table_names()))


def differences(connection: Connection) -> list[object]:
    options = {"compare_type": _same_type, "render_as_batch": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def _same_type(
    context: MigrationContext, column: object, old: object, existing: object, declared: object
) -> bool | None:
    from sqlalchemy import DateTime
    from sqlmodel.sql.sqltypes import UTCDateTime

    if isinstance(declared, UTCDateTime) and isinstance(existing, DateTime):
        return context.dialect.name != "sqlite" and not existing.timezone
    return None


async def test_after_the_last_revision_there_is_no_difference_to_the_models(empty: Database) -> None:
    await upgrade(url(empty))
    async with empty.read() as tx:
        assert await tx.run_sync(differences) == []
    assert await look(empty) == {*metadata.tables, "alembic_version"}


async def test_partial_indexes_keep_their_condition(empty: Database) -> None:
    """Autogenerate compares no conditions, and one running enrollment per contact and journey hangs on one."""
    await upgrade(url(empty))
    where = {"sqlite": "sqlite_where", "postgresql": "postgresql_where"}[empty.dialect]
    async with empty.read() as tx:
        indexes = await tx.run_sync(lambda connection: inspect(connection).get_indexes("enrollment"))
    options = {index["name"]: index.get("dialect_options", {}) for index in indexes}
    assert "running" in str(options["uq_enrollment_running"][where])


async def test_downgrade_to_base_leaves_nothing_and_upgrade_comes_back(empty: Database) -> None:
    await upgrade(url(empty))
    await downgrade(url(empty), "base")
    assert await look(empty) <= {"alembic_version"}
    await upgrade(url(empty))
    await check(empty)


async def test_upgrading_again_keeps_the_rows(empty: Database) -> None:
    await upgrade(url(empty))
    async with empty.write() as tx:
        await tx.execute(
            insert(tx, ApiKey).values(hash="h", name="n", scope="admin", origins=[], recorded_at=datetime.now(UTC))
        )
    await upgrade(url(empty))
    async with empty.read() as tx:
        assert (await tx.execute(select(table(ApiKey).c.name))).scalars().all() == ["n"]


async def test_a_database_without_tables_is_sent_to_migrate(empty: Database) -> None:
    with pytest.raises(ConfigurationError, match=r"no tables yet\. Run `tabiji migrate`"):
        await check(empty)


ADDS_A_COLUMN = """
import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "{head}"

def upgrade() -> None:
    with op.batch_alter_table("contact") as batch:
        batch.alter_column("locale", existing_type=sa.String(length=35), type_=sa.String(length=50))
        batch.add_column(sa.Column("nickname", sa.String(length=10)))
"""


async def test_a_database_with_rows_in_it_is_brought_from_one_version_to_the_next(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite alters by copying the table and dropping the old one: what refers to it must survive that."""
    await upgrade(url(empty))
    async with empty.write() as tx:
        now, contact = await empty.now(tx), new_id()
        await tx.execute(
            insert(tx, Contact).values(id=contact, attributes={}, score=0, created_at=now, recorded_at=now)
        )
        await tx.execute(insert(tx, ContactTag).values(contact_id=contact, tag="vip", at=now, recorded_at=now))
    newer = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, newer)
    head = schema.newest()
    (newer / "versions" / "v9001_more.py").write_text(ADDS_A_COLUMN.format(head=head))
    monkeypatch.setattr(schema, "MIGRATIONS", newer)

    with pytest.raises(
        ConfigurationError, match=rf"is at revision {head}, this code needs 9001\. Run `tabiji migrate`"
    ):
        await check(empty)
    await upgrade(url(empty))
    await check(empty)
    async with empty.read() as tx:
        assert (await tx.execute(text("SELECT nickname FROM contact"))).all() == [(None,)]
        assert (await tx.execute(select(table(ContactTag).c.tag))).scalars().all() == ["vip"]


async def test_a_database_of_a_newer_version_is_left_alone(empty: Database) -> None:
    """An old worker that starts after a newer deploy must neither run on that schema nor touch it."""
    await upgrade(url(empty))
    async with empty.write() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for attempt in (check(empty), upgrade(url(empty))):
        with pytest.raises(
            ConfigurationError, match=r"revision 9999.*newest is \d{4}.*Deploy the newer code"
        ) as refused:
            await attempt
        assert "\n" not in str(refused.value)


async def test_processes_that_migrate_at_once_do_not_collide(empty: Database) -> None:
    code = "import asyncio, sys; from models.schema import upgrade; asyncio.run(upgrade(sys.argv[1]))"
    racers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, url(empty), cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for racer in racers:
        _, errors = await racer.communicate()
        assert racer.returncode == 0, errors.decode()
    await check(empty)


async def test_the_alembic_command_sees_no_change_to_write_down(empty: Database) -> None:
    """What an author runs: `alembic check`, with our hooks for types and naming."""
    await upgrade(url(empty))
    ran = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "alembic", "check", cwd=ROOT, env={"TABIJI_DATABASE_URL": url(empty), "PATH": ""},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await ran.communicate()
    assert ran.returncode == 0, out.decode()
    assert b"No new upgrade operations" in out


async def test_a_database_that_is_not_there_is_said_in_one_line() -> None:
    with pytest.raises(DatabaseDown, match="does not answer"):
        await upgrade("postgresql://nobody@127.0.0.1:1/nothing")


def test_the_statements_can_be_printed_for_whoever_runs_them_by_hand() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"],
        cwd=ROOT, env={"TABIJI_DATABASE_URL": "postgresql://nobody@nowhere/x", "PATH": ""},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "CREATE TABLE contact" in ran.stdout
