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
FIRST, LAST = 0.3, 20.0
"""Seconds into the play. It is longer than that, however fast the machine."""
PATIENCE = 15.0


@dataclass(frozen=True)
class Kill:
    """Who dies, and when."""

    after: float
    victim: str

    def __str__(self) -> str:
        return f"{self.victim} at {self.after:.1f} s"


def plan(seed: int) -> list[Kill]:
    """Three to five kills."""
    chance = random.Random(seed)  # noqa: S311 # repeatable, not secret
    moments = sorted(chance.uniform(FIRST, LAST) for _ in range(chance.randint(3, 5)))
    left = list(VICTIMS * MOST_OF_ONE)
    chance.shuffle(left)
    return [Kill(moment, left.pop()) for moment in moments]


async def kill_all(kills: list[Kill], desk: Desk, tale: Tale) -> None:
    """Carry the plan out."""
    began = tale.seconds
    for kill in kills:
        await asyncio.sleep(max(0.0, began + kill.after - tale.seconds))
        pid = await _alive(desk, kill.victim)
        os.kill(pid, signal.SIGKILL)
        tale.tell("chaos", f"kill -9 {kill.victim} (pid {pid})", mark="bad")


async def _alive(desk: Desk, victim: str) -> int:
    """The victim's pid, once it runs: it may be on its way up from the last time."""
    async with asyncio.timeout(PATIENCE):
        while True:
            now = desk.processes()
            if now is not None and _is_child(pid := now.children[victim], now.desk):
                return pid
            await asyncio.sleep(0.05)


def _is_child(pid: int, parent: int) -> bool:
    """Whether that pid is still the desk's own process. Where there is no /proc, the desk's word must do."""
    if not Path("/proc/self/stat").exists():
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    state, owner = stat.rpartition(") ")[2].split()[:2]
    return int(owner) == parent and state != "Z"
