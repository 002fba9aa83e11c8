"""`kill -9` of worker, API and Temporal in the middle of the demo: the journeys end as if nothing had happened."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from demo.chaos import FEWEST, VICTIMS, is_child, plan
from tests.demo.playing import demo

SEEDS = 20
TOGETHER = 2
"""Desks at a time: each is five processes."""


async def _survives(seed: int, folder: Path) -> str | None:
    """Play once; what it said, unless all was well."""
    async with demo(folder, env={"CHAOS": str(seed)}) as playing:
        code = await playing.end()
    fine = code == 0 and playing.said.count("kill -9") >= FEWEST and not playing.left_behind()
    return None if fine else f"seed {seed}, exit code {code}, left {playing.left_behind()}:\n{playing.said}"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(1, SEEDS + 1, TOGETHER))
async def test_nothing_is_lost_and_nothing_new_is_sent_whoever_dies(first: int, tmp_path: Path) -> None:
    seeds = range(first, min(first + TOGETHER, SEEDS + 1))
    ended = await asyncio.gather(*(_survives(seed, tmp_path) for seed in seeds))

    assert [said for said in ended if said] == []


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
