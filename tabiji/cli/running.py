"""Commands that run processes, and bring the database to its schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tabiji.cli.common import settings

app = typer.Typer()


@app.command()
def up() -> None:
    """Start the desk: Temporal, a local inbox, the API and a worker, until Ctrl-C."""
    import asyncio

    from tabiji.desk.up import up as run

    asyncio.run(run(settings("desk")))


@app.command()
def worker() -> None:
    """Run one worker of the project in this folder."""
    from tabiji.desk.application import load

    load("worker").main()


@app.command()
def api() -> None:
    """Run the API of the project in this folder."""
    import structlog
    import uvicorn

    from tabiji.desk.application import load
    from tabiji.server import OPTIONS

    loaded = settings("api")
    create_app = load("api.app").create_app
    structlog.stdlib.get_logger(__name__).info("api.starting", host=loaded.api_host, port=loaded.api_port)
    uvicorn.run(create_app, factory=True, host=loaded.api_host, port=loaded.api_port, **OPTIONS)


@app.command()
def inbound() -> None:
    """Take in mail that came back, and answers: an SMTP server of the project in this folder."""
    from tabiji.desk.application import load

    load("activities.inbound").main()


@app.command()
def migrate(
    desk_key: Annotated[Path | None, typer.Option(hidden=True, help="Also have an admin key in this file.")] = None,
) -> None:
    """Bring the database to the schema this version needs."""
    import asyncio

    from tabiji.desk import application

    async def run() -> None:
        loaded = settings("migrate")
        await application.migrate(loaded)
        if desk_key is not None:
            await application.ensure_key(loaded, desk_key)

    asyncio.run(run())
