"""Kills processes of the desk at moments and in an order that a seed decides."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from dataclasses import dataclass
from pathlib import Path

from demo.desk import Desk
from demo.tale import Tale

VICTIMS = ("worker", "api", "temporal")
MOST_OF_ONE = 3
"""The desk gives up on a process that dies five times; a restart into a Temporal that is away may count as one."""
LINES = 24
"""Of the story, at whose turn somebody may die. It has more than thirty."""
SOON = 0.5
"""Seconds after a line in which what it tells of is still being worked on."""
LULL = 3.0
"""Seconds after a line in which, most of the time, everybody waits."""
FEWEST = 3
PATIENCE = 15.0


@dataclass(frozen=True)
class Kill:
    """Who dies, and when: so many seconds after so many lines of the story."""

    line: int
    after: float
    victim: str

    def __str__(self) -> str:
        return f"{self.victim} {self.after:.2f} s after line {self.line}"


def plan(seed: int) -> list[Kill]:
    """Three to five kills: about half of them in the thick of it, the others at any time."""
    chance = random.Random(seed)  # noqa: S311 # repeatable, not secret
    victims = list(VICTIMS * MOST_OF_ONE)
    chance.shuffle(victims)
    lines = sorted(chance.sample(range(1, LINES + 1), chance.randint(FEWEST, FEWEST + 2)))
    return [Kill(line, chance.uniform(0, chance.choice((SOON, LULL))), victims.pop()) for line in lines]


class Chaos:
    """Carries a plan out."""

    def __init__(self, seed: int, desk: Desk, tale: Tale) -> None:
        self.killed = 0
        self._kills = plan(seed)
        self._desk = desk
        self._tale = tale
        tale.say(f"chaos with seed {seed}: {', '.join(map(str, self._kills))}")

    async def run(self) -> None:
        """Kill, one after the other.

        Raises:
            TimeoutError: The desk did not bring a victim back.
        """
        for kill in self._kills:
            # Our own lines do not count.
            await self._tale.reached(kill.line + self.killed)
            await asyncio.sleep(kill.after)
            pid = await _alive(self._desk, kill.victim)
            os.kill(pid, signal.SIGKILL)
            self.killed += 1
            self._tale.tell("chaos", f"kill -9 {kill.victim} (pid {pid})", mark="bad")


async def _alive(desk: Desk, victim: str) -> int:
    """The victim's pid, once it runs: it may be on its way up from the last time."""
    async with asyncio.timeout(PATIENCE):
        while True:
            now = desk.processes()
            if now is not None and is_child(pid := now.children[victim], now.desk):
                return pid
            await asyncio.sleep(0.05)


def is_child(pid: int, parent: int) -> bool:
    """Whether that pid is still the desk's own process. Where there is no /proc, the desk's word must do."""
    if not Path("/proc/self/stat").exists():
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    state, owner = stat.rpartition(") ")[2].split()[:2]
    return int(owner) == parent and state != "Z"
