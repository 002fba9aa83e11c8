"""`tabiji versions`: which versions of the code there are, who is in them, which takes new people."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from temporalio.service import RPCError

from tabiji.deploys.build import build_here
from tabiji.deploys.versions import Versions, promote, versions
from tabiji.errors import Unavailable
from tabiji.plugin import JourneyPlugin
from tabiji.settings import Settings
from tabiji.temporal import connect

HERE = "here"
"""Instead of a build id: the version of the code in this folder."""


def show_versions(settings: Settings, *, promoted: str | None, json: bool, console: Console | None = None) -> bool:
    """Promote a version if asked, then print all. Returns whether that was done, or nobody is left alone.

    Raises:
        Refused: The version cannot be made current.
        Unavailable: Temporal does not answer.
    """
    build = build_here(settings) if promoted == HERE else promoted
    found = asyncio.run(_asked(settings, build))
    out = console or Console()
    if json:
        out.print_json(found.model_dump_json())
    else:
        _print(out, found, build_here(settings) if Path("workflows").is_dir() else None)
    return promoted is not None or not found.warnings


async def _asked(settings: Settings, promoted: str | None) -> Versions:
    client = await connect(settings, [JourneyPlugin()])
    try:
        if promoted is not None:
            await promote(client, settings.deployment, promoted)
        return await versions(client, settings.deployment, settings.task_queue)
    except RPCError as error:
        raise Unavailable(f"Temporal at {settings.temporal_address} answered {error.status.name}: {error}") from None


def _print(out: Console, found: Versions, here: str | None) -> None:
    table = Table("version", "state", "people", "workers", "made")
    for one in found.versions:
        build = one.build + (" (the code here)" if one.build == here else "")
        made = one.since.astimezone().strftime("%Y-%m-%d %H:%M") if one.since else "-"
        workers = ", ".join(one.pollers) or "none"
        table.add_row(escape(build), one.state, str(one.people), escape(workers), made)
    if found.versions:
        out.print(table)
    else:
        out.print(f"No worker of deployment {found.deployment!r} has ever come.", markup=False)
    if found.unversioned:
        out.print(f"{found.unversioned} people have not begun in any version yet.")
    for warning in found.warnings:
        who = f"version {warning.build}" if warning.build else found.deployment
        out.print(f"! {who}: {warning.people} people; {warning.words}", markup=False, soft_wrap=True)
    if here is not None and here not in {one.build for one in found.versions}:
        out.print(f"The code here is {here}; no worker has run it yet.")
