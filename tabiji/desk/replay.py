"""`tabiji replay`: what a deploy of the code here would do to people under way."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from temporalio.service import RPCError

from tabiji.deploys.accepted import Accepted
from tabiji.deploys.histories import on_file
from tabiji.deploys.verdict import Broken, Changed, Check, Verdict
from tabiji.deploys.versions import versions
from tabiji.errors import Unavailable
from tabiji.journey.discovery import discover
from tabiji.plugin import JourneyPlugin
from tabiji.settings import Settings
from tabiji.temporal import connect

WAYS_OUT = """\
  Ways out:
    - They are pinned: leave them where they are, keep that version's workers until `tabiji versions` shows it
      drained, and let new people begin here. Then remove the recorded history, or record it anew.
    - Move them into this code: `tabiji move` runs it on their journal, not on their history. A step put where they
      have been takes if_passed="skip" or if_passed="run".
    - Keep both ways in the code: `if workflow.patched("…"):` the new one, else the old one.
"""
SHOWN = 3


def show_replay(
    settings: Settings,
    folder: Path,
    *,
    live: int,
    accept: bool,
    accepted_file: Path,
    as_json: bool,
    console: Console | None = None,
) -> bool:
    """Check and print. Returns whether the code may go out.

    Raises:
        Unavailable: Live histories were asked for, and Temporal does not answer.
    """
    # The SDK logs what breaks at length; what is printed says it with its line.
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    accepted = Accepted(accepted_file)
    verdict = asyncio.run(_checked(settings, folder, live))
    if accept:
        accepted.add(found.change for found in verdict.changed)
    open_changes = [found for found in verdict.changed if found.change not in accepted]
    out = console or Console(soft_wrap=True)
    if as_json:
        out.print_json(json.dumps(_as_json(verdict, open_changes), default=str))
    else:
        _print(out, verdict, open_changes)
    return not verdict.broken and not open_changes


async def _checked(settings: Settings, folder: Path, live: int) -> Verdict:
    check = Check(discover())
    await check.recorded(on_file(folder))
    if live:
        try:
            client = await connect(settings, [JourneyPlugin()])
            await check.live(client, await versions(client, settings.deployment, settings.task_queue), live)
        except RPCError as error:
            raise Unavailable(
                f"Temporal at {settings.temporal_address} answered {error.status.name}: {error}"
            ) from None
    return check.verdict()


def _print(out: Console, verdict: Verdict, open_changes: list[Changed]) -> None:
    def say(text: str) -> None:
        out.print(text, markup=False, highlight=False)

    for broken in verdict.broken:
        say(_broken(broken))
    if verdict.broken:
        say(WAYS_OUT)
    for changed in open_changes:
        say(_changed(changed))
    if open_changes:
        say("  Right? Then: tabiji replay --accept-all, and commit the file it writes.\n")
    passed = len(verdict.changed) - len(open_changes)
    done = f"{verdict.replayed} histories replayed"
    say(f"{done}; {len(verdict.broken)} differences, {len(open_changes)} changes of meaning, {passed} accepted.")


def _broken(broken: Broken) -> str:
    found = broken.difference
    where = f"{found.source}: " if found.source else ""
    step = f", step {found.step}" if found.step else ""
    who = f"version {broken.version}, {broken.affected.words}" if broken.affected.people else _names(broken.names)
    return (
        f"{where}journey {found.journey}{step} goes another way ({who})\n"
        f"    was:  {found.recorded}\n    here: {found.here}\n"
    )


def _changed(changed: Changed) -> str:
    change = changed.change
    where = f"{change.source}: " if change.source else ""
    people = f", {changed.affected.words} are at or before it" if changed.affected.people else ""
    return (
        f"{where}journey {change.journey}, step {change.step} means something else: {change.what} "
        f"({_names(changed.names)}{people})\n    was:  {change.old}\n    here: {change.new}\n"
    )


def _names(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _as_json(verdict: Verdict, open_changes: list[Changed]) -> dict[str, Any]:
    return {
        "replayed": verdict.replayed,
        "ok": not verdict.broken and not open_changes,
        "differences": [asdict(one) for one in verdict.broken],
        "changes": [{**asdict(one), "accepted": one not in open_changes} for one in verdict.changed],
    }
