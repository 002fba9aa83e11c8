"""What Alembic runs. `models.schema` hands in a connection; the `alembic` command makes one from the settings."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import MigrationScript
from sqlalchemy import JSON, Connection, DateTime
from sqlmodel import AutoString
from sqlmodel.sql.sqltypes import UTCDateTime

import models
from models.base import metadata
from models.database import resolve
from models.schema import connected
from tabiji.settings import load


def every_table() -> None:
    """Import all of `models`, so that a table nobody else imports is not taken for a dropped one."""
    for found in pkgutil.walk_packages(models.__path__, "models."):
        importlib.import_module(found.name)


def render(kind: str, thing: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Write SQLModel's and our own types as what they are in the database: a revision must outlive the models."""
    if kind != "type":
        return False
    if isinstance(thing, AutoString):
        return f"sa.String(length={thing.length})" if thing.length else "sa.String()"
    if isinstance(thing, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(thing, JSON):
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        jsonb = 'postgresql.JSONB(none_as_null=True), "postgresql"'
        return f"sa.JSON(none_as_null=True).with_variant({jsonb})"
    return False


def compare_type(_context: Any, _column: Any, _old: Any, existing: Any, declared: Any) -> bool | None:
    """SQLite has no time zones: there a UTC time is a plain DATETIME."""
    if isinstance(declared, UTCDateTime) and isinstance(existing, DateTime):
        return context.get_context().dialect.name != "sqlite" and not existing.timezone
    return None


def number(_context: Any, _revision: Any, directives: list[MigrationScript]) -> None:
    """Revisions count up: 0001, 0002 … so that the folder reads as a history."""
    script = context.script
    for directive in directives:
        heads = script.get_heads()
        directive.rev_id = f"{int(heads[0] if heads else 0) + 1:04}"


def migrate(connection: Connection) -> None:
    """Run the revisions asked for on this connection."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_item=render,
        compare_type=compare_type,
        process_revision_directives=number,
        render_as_batch=True,
        transactional_ddl=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def print_sql() -> None:
    """`alembic upgrade head --sql`: the statements, for whoever must run them by hand."""
    context.configure(
        dialect_name=resolve(load().database).get_backend_name(), literal_binds=True, render_as_batch=True
    )
    with context.begin_transaction():
        context.run_migrations()


async def online() -> None:
    """The `alembic` command: connect as the settings say."""
    async with connected(load().database) as connection:
        await connection.run_sync(migrate)


every_table()
if context.is_offline_mode():
    print_sql()
elif (given := context.config.attributes.get("connection")) is not None:
    migrate(given)
else:
    asyncio.run(online())
