"""`python -m demo`: a desk of its own, two visitors, and an account of what they met with.

CHAOS=7 python -m demo      kills processes of the desk meanwhile
KEEP=1 python -m demo       leaves the desk running afterwards, until Ctrl-C
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import httpx2
from rich.console import Console
from temporalio.service import RPCError

from demo import account, chaos, histories
from demo.desk import MAY_BE_SET, Desk, DeskFailed, Processes
from demo.inbox import Inbox, repeats
from demo.site import Site
from demo.tale import Deadline, DidNotHappen, Missing, Tale
from demo.visitors import Stage, Visitor, follow_through, ignore_everything

BROKEN_OFF = 130


@dataclass(frozen=True)
class Rehearsal:
    """What was asked for."""

    seed: int | None
    keep: bool
    deadline: float
    settings: Mapping[str, str]
    """`TABIJI_…` variables for the desk."""

    @property
    def days(self) -> tuple[float, float]:
        """Seconds a day takes for the one who acts and the one who does not.

        Nobody waits for the second. The first must come in time: a kill costs up to ten seconds (the time after
        which Temporal gives a workflow task to somebody else), and the shortest wait that listens has seven days.
        """
        if self.seed is not None:
            return 4.0, 0.5
        return (2.0, 0.5) if self.quiet else (1.5, 0.3)

    @property
    def timezone(self) -> str | None:
        """Where the visitors live, as their browsers say it."""
        return self.settings.get("TABIJI_TIMEZONE")

    @property
    def quiet(self) -> tuple[time, time] | None:
        """When they are not to be mailed."""
        hours = self.settings.get("TABIJI_QUIET_HOURS", "")
        start, _, end = hours.partition("-")
        return (time.fromisoformat(start), time.fromisoformat(end)) if end else None


class Demo:
    """One performance on a desk that is ready."""

    def __init__(self, asked: Rehearsal, desk: Desk, running: Processes, tale: Tale) -> None:
        acting, ignoring = asked.days
        self._asked = asked
        self._desk = desk
        self._tale = tale
        self._temporal = running.addresses["temporal"]
        self.links: list[str] = []
        """Where each journey can be read in the Temporal UI."""
        self._chaos = chaos.Chaos(asked.seed, desk, tale) if asked.seed is not None else None
        deadline = Deadline(asked.deadline)
        self._site = Site(running.addresses["api"], desk.key, deadline)
        self._inbox = Inbox(running.addresses["inbox"])
        self._hanako = Visitor("Hanako", "hanako.tabino@example.com", "Tabino Teahouse", acting, asked.timezone)
        self._kenta = Visitor("Kenta", "kenta.nemuri@example.net", "Nemuri Futons", ignoring, asked.timezone)
        self._stages = [
            Stage(visitor, self._site, self._inbox, tale, deadline) for visitor in (self._hanako, self._kenta)
        ]

    async def perform(self) -> list[Missing]:
        """Play, reckon, and say what is missing."""
        try:
            first, second = self._stages
            killing = asyncio.create_task(self._chaos.run()) if self._chaos else None
            ended = list(await asyncio.gather(follow_through(first), ignore_everything(second), return_exceptions=True))
            if killing:
                killing.cancel()
                ended += await asyncio.gather(killing, return_exceptions=True)
            found = [_missing(one) for one in ended if one is not None and not isinstance(one, asyncio.CancelledError)]
            if self._chaos and self._chaos.killed < chaos.FEWEST:
                found.append(Missing(f"{chaos.FEWEST} processes are killed meanwhile", "demo/chaos.py"))
            return list(dict.fromkeys([*found, *await self._reckon()]))
        finally:
            await self._site.close()
            await self._inbox.close()

    async def _reckon(self) -> list[Missing]:
        mails = await self._inbox.mails()
        found = list(account.twice(mails, allowed=self._asked.seed is not None))
        workflows: list[str] = []
        for visitor, expected in ((self._hanako, account.FOLLOWED_THROUGH), (self._kenta, account.IGNORED_EVERYTHING)):
            try:
                person = await self._site.person(visitor.anonymous_id)
                travels = await self._site.travels(person.id) if person else []
            except DidNotHappen as missing:
                found.append(missing.missing)
                continue
            workflows += [one.id for one in travels]
            self.links += [f"{visitor.first_name}, {one.journey}: {one.temporal_url}" for one in travels]
            found += account.missing(account.Seen(visitor, person, travels, mails), expected)
            if person and self._asked.quiet:
                found += account.disturbed(person, ZoneInfo(self._asked.timezone or "UTC"), self._asked.quiet)
        try:
            past = await histories.read(self._temporal, workflows)
            found += account.told_to_temporal(past, (self._hanako, self._kenta))
        except (RPCError, RuntimeError) as error:
            found.append(Missing(f"Temporal shows the journeys' histories ({error})", "logs/temporal.log"))
            past = []
        self._tale.say(
            f"\n{len(mails)} mails in the inbox, {sum(repeats(mails).values())} of them repeated under the same "
            f"Message-ID; {len(past)} journeys with {sum(one.events for one in past)} events in Temporal; "
            f"{self._site.repeated} requests sent again"
        )
        return found


def _missing(ended: BaseException) -> Missing:
    match ended:
        case DidNotHappen():
            return ended.missing
        case TimeoutError():
            return Missing("the desk restarts what was killed", "desk.log")
        case httpx2.TransportError():
            return Missing(f"the inbox answers ({type(ended).__name__})", "logs/inbox.log")
        case _:
            raise ended


async def run(asked: Rehearsal, console: Console) -> int:
    """The whole of it, from nothing to nothing left. Returns the exit code."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    desk = Desk(asked.settings)
    code = 1
    try:
        code = await _unless(stopping, _run(asked, desk, console))
        if asked.keep and code != BROKEN_OFF:
            await stopping.wait()
    except DeskFailed as error:
        console.print(f"demo: {error}", highlight=False, markup=False)
    finally:
        await desk.stop()
        if code == 1:
            console.print(f"demo: the logs are kept in {desk.data}", highlight=False, soft_wrap=True)
        else:
            desk.forget()
    return code


async def _unless(stopping: asyncio.Event, work: Coroutine[Any, Any, int]) -> int:
    """Do it, but break off when a signal comes."""
    working, stopped = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else BROKEN_OFF
    finally:
        working.cancel()
        stopped.cancel()
        await asyncio.gather(working, stopped, return_exceptions=True)


async def _run(asked: Rehearsal, desk: Desk, console: Console) -> int:
    tale = Tale(console)
    tale.say(f"starting the desk: Temporal, an inbox, the API and a worker (data in {desk.data})")
    running = await desk.start()
    tale.say(f"ready after {tale.seconds:.1f} s: {running.addresses['api']}, {running.addresses['temporal_ui']}")
    demo = Demo(asked, desk, running, tale)
    missing = await demo.perform()
    for one in missing:
        tale.say(f"did not happen: {one}", mark="bad")
    if asked.keep:
        tale.say("\nthe desk runs on, until Ctrl-C:")
        for name, address in running.addresses.items():
            tale.say(f"  {name:12} {address}")
        for link in (f"{'key':12} {desk.data / 'key'}", *demo.links):
            tale.say(f"  {link}")
    tale.say(f"after {tale.seconds:.0f} s")
    tale.say("demo: ok" if not missing else f"demo: failed, {len(missing)} expectations were not met")
    return 1 if missing else 0


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Rehearsal:
    """Read the command line and what `make demo` passes on in the environment."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    seed = environment.get("CHAOS") or None
    parser.add_argument("--chaos", type=int, metavar="SEED", default=seed, help="kill processes meanwhile")
    parser.add_argument("--keep", action="store_true", default=environment.get("KEEP", "") not in ("", "0"))
    parser.add_argument("--deadline", type=float, metavar="SECONDS", help="patience with the visitors' play")
    parser.add_argument("--set", action="append", metavar="TABIJI_NAME=VALUE", default=[], help="a setting of the desk")
    given = parser.parse_args(arguments)
    settings = {name: environment[name] for name in MAY_BE_SET if name in environment}
    for one in given.set:
        name, equals, value = one.partition("=")
        if not equals or not name.startswith("TABIJI_"):
            parser.error(f"--set takes TABIJI_NAME=VALUE, not {one!r}")
        settings[name] = value
    deadline = given.deadline or (60.0 if given.chaos is None else 240.0)
    return Rehearsal(seed=given.chaos, keep=given.keep, deadline=deadline, settings=settings)


def main() -> NoReturn:
    """Play, and leave without tearing the interpreter down: the Temporal SDK's threads might abort it."""
    code = asyncio.run(run(parse(sys.argv[1:], os.environ), Console()))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
