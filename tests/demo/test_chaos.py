"""`kill -9` of worker, API and Temporal in the middle of the demo: the journeys end as if nothing had happened."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from demo.chaos import FEWEST, VICTIMS, is_child, plan
from tests.demo.playing import demo

SEEDS = 20
FIRST = 2
"""So many of them before every change; the others say the same at length."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "seed",
    [pytest.param(n, marks=pytest.mark.slow if n <= FIRST else pytest.mark.long) for n in range(1, SEEDS + 1)],
)
async def test_nothing_is_lost_and_nothing_new_is_sent_whoever_dies(seed: int, tmp_path: Path) -> None:
    async with demo(tmp_path, env={"CHAOS": str(seed)}) as playing:
        code = await playing.end()

    assert code == 0, playing.said
    assert playing.said.count("kill -9") >= FEWEST, playing.said
    assert playing.left_behind() == []


def test_a_seed_decides_who_dies_and_when() -> None:
    assert plan(7) == plan(7)
    assert plan(7) != plan(8)
    plans = [plan(seed) for seed in range(SEEDS)]
    assert {kill.victim for kills in plans for kill in kills} == set(VICTIMS)
    assert all(FEWEST <= len(kills) <= FEWEST + 2 for kills in plans)


async def test_a_kill_hits_only_what_is_still_a_child_of_the_desk() -> None:
    """A pid in the desk's file may be old, and belong to somebody else by now."""
    assert is_child(os.getpid(), os.getppid())
    assert not is_child(os.getppid(), os.getpid())
    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    assert not is_child(ended.pid, os.getpid())
