"""Moves people into the current version: first every journal is played through the code here, then they are told.

    plan = await Move(client, journeys, deployment, queue).check(journey="nurture")
    plan.refused          # steps newer code has put where people have been: nobody is moved
    async for left in move.go(plan, rate=50): …

Who is told goes on in the current version at their next wait: at once where they wait already. What is under way, an
effect that is being tried, ends first.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tabiji.deploys.histories import running
from tabiji.deploys.people import RPC_TIMEOUT, Someone, ask, listed, why_still_there
from tabiji.deploys.versions import Versions, versions
from tabiji.deploys.watching import Source
from tabiji.domain.orders import CONTROL_STEP, SIGNAL, Carried, Control, Happened
from tabiji.errors import Refused
from tabiji.journey.journey import Journey
from tabiji.journey.map import read_map
from tabiji.journey.rehearsal import Rehearsed, rehearse

AT_ONCE = 16
AGAIN = timedelta(seconds=10)
"""Who is still there after so long is told once more: telling is harmless."""
GLANCE = 0.5


@dataclass(frozen=True)
class Obstacle:
    """What in the code here keeps people from going on in it."""

    journey: str
    step: str | None
    source: Source | None
    words: str


@dataclass
class Plan:
    """What a move would mean."""

    target: str
    people: dict[str, str] = field(default_factory=dict[str, str])
    """Journey by id of those who would be moved."""
    refused: Counter[Obstacle] = field(default_factory=Counter[Obstacle])
    """People by what keeps them."""
    dropped: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    """People by journey, the wait they are in that the code here does not have, and where they would go on."""
    ending: Counter[str] = field(default_factory=Counter[str])
    """People by journey for whom nothing would be left to do."""
    silent: dict[str, str] = field(default_factory=dict[str, str])
    """Who could not be asked, and why."""


class Move:
    """Of the people of a deployment, into its current version."""

    def __init__(self, client: Client, journeys: Sequence[type[Journey]], deployment: str, task_queue: str) -> None:
        self._client = client
        self._journeys = {journey.spec.name: journey for journey in journeys}
        self._deployment = deployment
        self._task_queue = task_queue

    async def versions(self) -> Versions:
        """All there are."""
        return await versions(self._client, self._deployment, self._task_queue)

    async def check(
        self, *, journey: str | None, origin: str | None, here: str, asked: Callable[[int], None] = lambda _: None
    ) -> Plan:
        """Play every journal through the code here.

        Args:
            journey: Only people of this one.
            origin: Only people of this version; None: of all but `here`.
            here: Build id of the code here.
            asked: Told how many have been asked so far.

        Raises:
            Refused: There is no such version.
        """
        found = await self.versions()
        plan = Plan(target=here)
        names = [name async for name in self._of(found, journey, origin, here)]
        for start in range(0, len(names), AT_ONCE):
            page = names[start : start + AT_ONCE]
            for someone in await asyncio.gather(*(ask(self._client, id, type) for id, type in page)):
                if someone is not None:
                    await self._judge(plan, someone)
            asked(start + len(page))
        return plan

    async def _of(
        self, found: Versions, journey: str | None, origin: str | None, here: str
    ) -> AsyncIterator[tuple[str, str]]:
        origins = [one.build for one in found.versions if one.build != here and origin in (None, one.build)]
        if origin is not None and not origins:
            raise Refused(f"there is no version {origin} to move people from. `tabiji versions` shows those there are.")
        for build in origins:
            async for name in listed(self._client, running(found.deployment, build, journey)):
                yield name

    async def _judge(self, plan: Plan, someone: Someone) -> None:
        if someone.silent is not None or someone.enrollment is None:
            plan.silent[someone.id] = someone.silent or ""
            return
        journey = self._journeys.get(someone.journey)
        if journey is None:
            plan.refused[Obstacle(someone.journey, None, None, "there is no such journey here")] += 1
            return
        # It has an event loop of its own.
        played = await asyncio.to_thread(rehearse, journey, someone.enrollment, now=datetime.now(UTC))
        obstacles = list(_obstacles(journey, played))
        plan.refused.update(obstacles)
        if obstacles:
            return
        plan.people[someone.id] = someone.journey
        carried = someone.enrollment.carried or Carried()
        for step in {wait.step for wait in carried.open} - set(played.next):
            plan.dropped[(someone.journey, step, ", ".join(played.next) or "the end")] += 1
        plan.ending[someone.journey] += played.ended

    async def go(self, plan: Plan, *, rate: float, patience: timedelta) -> AsyncIterator[dict[str, str]]:
        """Tell them, so many a second, and see them go. Gives those who are left each time there are fewer.

        Ends when nobody is left, or when nobody has gone for as long as `patience`. Whose journal has come to an
        obstacle since the check is left where they are.

        Raises:
            Refused: The code that was checked is not the current version.
        """
        found = await self.versions()
        if found.current != plan.target:
            raise Refused(
                f"the code here is version {plan.target}, and people would move into {found.current or 'none'}, which "
                "is current. Run this with the code that is deployed, after tabiji versions --promote."
            )
        others = [one.build for one in found.versions if one.build != plan.target]
        left = dict(plan.people)
        for number, (id, journey) in enumerate(plan.people.items()):
            if await self._still_safe(plan, id, journey):
                await self._tell(id)
            if number % AT_ONCE == AT_ONCE - 1:
                yield (left := await self._left(left, others))
            await asyncio.sleep(1 / rate)
        clock = asyncio.get_running_loop().time
        last = told = clock()
        while left and clock() - last < patience.total_seconds():
            before, left = left, await self._left(left, others)
            if len(left) < len(before):
                last = clock()
            if clock() - told > AGAIN.total_seconds():
                told = clock()
                for id, journey in left.items():
                    if await self._still_safe(plan, id, journey):
                        await self._tell(id)
            yield left
            await asyncio.sleep(GLANCE)

    async def _still_safe(self, plan: Plan, id: str, journey: str) -> bool:
        """They go on while others are moved: what was safe a minute ago may not be."""
        someone = await ask(self._client, id, journey)
        if someone is None or someone.enrollment is None:
            return someone is not None
        played = await asyncio.to_thread(rehearse, self._journeys[journey], someone.enrollment, now=datetime.now(UTC))
        obstacles = list(_obstacles(self._journeys[journey], played))
        plan.refused.update(obstacles)
        return not obstacles

    async def _tell(self, id: str) -> None:
        try:
            await self._client.get_workflow_handle(id).signal(
                SIGNAL, Happened(event=Control.MOVE, step=CONTROL_STEP), rpc_timeout=RPC_TIMEOUT
            )
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:  # they have ended
                raise

    async def _left(self, people: dict[str, str], others: Sequence[str]) -> dict[str, str]:
        """Those who are still in another version."""
        there = {id for build in others async for id, _ in listed(self._client, running(self._deployment, build))}
        return {id: journey for id, journey in people.items() if id in there}

    async def why(self, people: Sequence[str]) -> dict[str, str]:
        """Why they are still there."""
        reasons = await asyncio.gather(*(why_still_there(self._client, id) for id in people))
        return {id: reason for id, reason in zip(people, reasons, strict=True) if reason is not None}


def _obstacles(journey: type[Journey], played: Rehearsed) -> list[Obstacle]:
    name = journey.spec.name
    inserted = [Obstacle(name, one.step, _source(journey, one.step), str(one)) for one in played.inserted]
    unread = [
        Obstacle(
            name,
            step,
            _source(journey, step),
            f"step {step!r} reads something before what these people have reached already, and what comes of it is "
            "not known. Put it behind them, or leave them in their version.",
        )
        for step in played.unread
    ]
    problem = [Obstacle(name, None, None, played.problem)] if played.problem else []
    return [*inserted, *unread, *problem]


def _source(journey: type[Journey], step: str) -> Source | None:
    node = next(iter(read_map(journey).steps_called(step.partition("#")[0])), None)
    return Source(node.file, node.line) if node is not None else None
