"""`tabiji move`: takes people into the version that is current, once the code here has been played through for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from temporalio.service import RPCError

from tabiji.deploys.build import build_here
from tabiji.deploys.move import Move, Obstacle, Plan
from tabiji.errors import Refused, Unavailable
from tabiji.journey.discovery import discover
from tabiji.plugin import JourneyPlugin
from tabiji.settings import Settings
from tabiji.temporal import connect

SHOWN = 20


@dataclass(frozen=True)
class Order:
    """Whom to move, and how."""

    journey: str | None = None
    origin: str | None = None
    rate: float = 50
    patience: timedelta = timedelta(minutes=2)
    only_check: bool = False


def show_move(
    settings: Settings, order: Order, *, agreed: Callable[[str], bool], console: Console | None = None
) -> bool:
    """Check, ask, move and say who is left. Returns whether nobody is.

    Raises:
        Refused: The code here is not the current version.
        Unavailable: Temporal does not answer.
    """
    try:
        return asyncio.run(_Moving(settings, order, agreed, console or Console(soft_wrap=True)).run())
    except RPCError as error:
        raise Unavailable(f"Temporal at {settings.temporal_address} answered {error.status.name}: {error}") from None


class _Moving:
    def __init__(self, settings: Settings, order: Order, agreed: Callable[[str], bool], console: Console) -> None:
        self._settings = settings
        self._order = order
        self._agreed = agreed
        self._console = console

    async def run(self) -> bool:
        settings, order = self._settings, self._order
        journeys = discover()
        if order.journey is not None and order.journey not in {journey.spec.name for journey in journeys}:
            raise Refused(f"there is no journey {order.journey!r} here. `tabiji journeys` lists those there are.")
        client = await connect(settings, [JourneyPlugin()])
        move = Move(client, journeys, settings.deployment, settings.task_queue)
        plan = await move.check(journey=order.journey, origin=order.origin, here=build_here(settings))
        self._show(plan)
        if order.only_check and not plan.refused:
            self._say(f"{len(plan.people)} people can go on in version {plan.target}.")
        if plan.refused or order.only_check or not plan.people:
            return not plan.refused and not plan.silent
        if not self._agreed(f"Move {len(plan.people)} people into version {plan.target}?"):
            return False
        # What those are refused for who go on meanwhile is told of those who are left.
        plan.refused.clear()
        left, told = plan.people, -1
        async for left in move.go(plan, rate=order.rate, patience=order.patience):
            if (gone := len(plan.people) - len(left)) != told:
                told = gone
                self._say(f"{gone} of {len(plan.people)} have left their version")
        if left:
            for obstacle, people in plan.refused.items():
                self._say(_obstacle(obstacle, people))
        for id, why in list((await move.why(list(left))).items())[:SHOWN]:
            self._say(f"! {id} is still in its version: {why}")
        return not left and not plan.silent

    def _show(self, plan: Plan) -> None:
        for obstacle, people in plan.refused.items():
            self._say(_obstacle(obstacle, people))
        if plan.refused:
            self._say("Nobody is moved.")
        for (journey, step, then), people in plan.dropped.items():
            self._say(f"{journey}: the wait {step} is not in the code here; {people} people in it go on at {then}")
        for journey, people in (+plan.ending).items():
            self._say(f"{journey}: nothing is left to do in the code here for {people} people; it ends for them")
        for id, why in list(plan.silent.items())[:SHOWN]:
            self._say(f"! {id} cannot be moved: {why}")
        if not plan.people and not plan.refused and not plan.silent:
            self._say(f"Nobody is in another version than {plan.target}.")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)


def _obstacle(obstacle: Obstacle, people: int) -> str:
    where = f"{obstacle.source}: " if obstacle.source else ""
    return f"{where}journey {obstacle.journey}, {people} people: {obstacle.words}"
