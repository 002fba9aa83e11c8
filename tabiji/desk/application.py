"""The application in the current folder. The library imports none of it: it is loaded by name, when it is needed."""

from __future__ import annotations

import asyncio
import importlib
import os
import secrets
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from tabiji.errors import ConfigurationError
from tabiji.settings import Settings

T = TypeVar("T")
PARTS = ("worker.py", "api", "models", "workflows", "migrations")


def load(module: str) -> Any:
    """A module of the application.

    Raises:
        ConfigurationError: There is no such module here.
    """
    here()
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise _not_here(f"{error.name} is missing") from None
        raise


def here() -> None:
    """Let the modules of this folder be found."""
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)


def look() -> None:
    """Make sure that an application is here.

    Raises:
        ConfigurationError: A part of it is missing.
    """
    if missing := [part for part in PARTS if not Path(part).exists()]:
        raise _not_here(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")


async def migrate(settings: Settings) -> None:
    """Bring the database to the schema the code needs.

    Raises:
        ConfigurationError: The database is from a newer version.
        DatabaseDown: It does not answer.
    """
    await load("models.schema").upgrade(settings)


async def ensure_key(settings: Settings, file: Path) -> None:
    """Have an admin key of this database in a file only its owner reads; the one that is there, if it opens."""
    keys = load("models.keys")
    database = load("models.database").Database(settings.database)
    try:
        if (known := _read(file)) and await keys.find_key(database, known):
            return
        try:
            key = await keys.create_key(database, "desk", "admin")
        except ConfigurationError:  # the name is taken: the file was lost, the database was not
            key = await keys.create_key(database, f"desk {secrets.token_hex(4)}", "admin")
        write_secret(file, key)
    finally:
        await database.close()


def with_keys(settings: Settings, use: Callable[[Any, Any], Coroutine[Any, Any, T]]) -> T:
    """Do something with the application's module of keys and its database."""

    async def run() -> T:
        database = load("models.database").Database(settings.database)
        try:
            return await use(load("models.keys"), database)
        finally:
            await database.close()

    return asyncio.run(run())


def write_secret(file: Path, secret: str) -> None:
    """Write a file only its owner reads, all of it or nothing."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(secret + "\n")
    draft.replace(file)


def _read(file: Path) -> str:
    return file.read_text().strip() if file.exists() else ""


def _not_here(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"no tabiji project in {Path.cwd()}: {what}. Change to the project's folder, or make one with `tabiji new DIR`."
    )
