"""Measures how many events the API takes over HTTP, beside what the same server does when there is nothing to do.

    python -m bench.ingest                            both databases, JSON
    python -m bench.ingest --only sqlite --seconds 3 --rounds 1

Server and load are processes of their own, and so is PostgreSQL. Single `track` calls of 64 clients are held against
an empty FastAPI handler behind the same uvicorn; batches of 100 against an endpoint that parses the same body and
inserts the rows with one statement and one parameter list. Each round measures baseline and API one right after the
other. One event in five is of somebody new, all journeys of `workflows/` are loaded, and nothing is turned off:
`settings` shows what the database promises at a commit. Temporal is away, since nobody waits for these events.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import secrets
import signal
import socket
import statistics
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil

from bench.databases import both, settings_of
from bench.load import KNOWN, person
from models.database import Database
from models.keys import create_key

ROOT = Path(__file__).parent.parent
CLIENTS = 64
BATCH = 100
BATCH_CLIENTS = 8
LEAST = {"single": 0.3, "batch": 0.5}
"""What is promised."""


@dataclass(frozen=True)
class Server:
    """One that listens."""

    port: int
    pid: int


@dataclass(frozen=True)
class Served:
    """Both servers."""

    api: Server
    bare: Server
    key: str


async def main(only: str | None, seconds: float, rounds: int) -> dict[str, Any]:
    """Measure, and report."""
    found: dict[str, Any] = {"machine": machine(), "databases": {}}
    async with both() as databases:
        for database in databases:
            if only in (None, database.dialect):
                found["databases"][database.dialect] = await _measure(database, seconds, rounds)
    return found


async def _measure(database: Database, seconds: float, rounds: int) -> dict[str, Any]:
    key = await create_key(database, "bench", "write")
    report: dict[str, Any] = {"settings": await settings_of(database)}
    async with _api(database, key) as api:
        await _make_known(api.port, key)
        async with _bare(database) as bare:
            served = Served(api, bare, key)
            report["single"] = await _compare(served, "single", seconds, rounds)
            report["batch"] = await _compare(served, "batch", seconds, rounds)
    return report


async def _compare(served: Served, what: str, seconds: float, rounds: int) -> dict[str, Any]:
    """Baseline and API in turns."""
    single = what == "single"
    plan: dict[str, Any] = {"key": served.key, "clients": CLIENTS if single else BATCH_CLIENTS, "seconds": seconds}
    plan["batch"] = 0 if single else BATCH
    paths = ("/empty", "/v1/track") if single else ("/insert", "/v1/batch")
    baselines: list[dict[str, Any]] = []
    ours: list[dict[str, Any]] = []
    for _ in range(rounds):
        baselines.append(await _load({**plan, "port": served.bare.port, "path": paths[0]}, served.bare.pid))
        ours.append(await _load({**plan, "port": served.api.port, "path": paths[1]}, served.api.pid))
    ratios = [our["events_per_second"] / base["events_per_second"] for our, base in zip(ours, baselines, strict=True)]
    cpu = [base["cpu_us_per_event"] / our["cpu_us_per_event"] for our, base in zip(ours, baselines, strict=True)]
    return {
        "clients": plan["clients"],
        "ratio": round(statistics.median(ratios), 3),
        "cpu_ratio": round(statistics.median(cpu), 3),
        "at_least": LEAST[what],
        "baseline": _middle(baselines),
        "ours": _middle(ours),
        "rounds": [round(ratio, 3) for ratio in ratios],
    }


def _middle(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The run in the middle."""
    return sorted(runs, key=lambda run: run["events_per_second"])[len(runs) // 2]


async def _load(plan: dict[str, Any], server: int) -> dict[str, Any]:
    before = _cpu(server)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", json.dumps(plan), cwd=ROOT, stdout=PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), plan["seconds"] + 60)
    assert process.returncode == 0, plan["path"]
    found: dict[str, Any] = json.loads(out)
    # Of all that was answered, warming up too: a ratio of these is fair on a machine that does other things as well.
    found["cpu_us_per_event"] = round((_cpu(server) - before) / found.pop("all") / (plan["batch"] or 1) * 1e6, 1)
    assert set(found["statuses"]) == {"200"}, found
    return found


def _cpu(pid: int) -> float:
    """Seconds a process has worked."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def _make_known(port: int, key: str) -> None:
    """Everybody whom events are of, but for the new ones."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for start in range(0, KNOWN, 500):
            calls = [b'{"type":"identify","%s"}' % person(number) for number in range(start, start + 500)]
            answer = await client.post("/v1/batch", content=b'{"batch":[%s]}' % b",".join(calls), headers=headers)
            answer.raise_for_status()


@asynccontextmanager
async def _api(database: Database, key: str) -> AsyncGenerator[Server]:
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TABIJI_")},
            "TABIJI_DATABASE_URL": _address(database),
            "TABIJI_API_PORT": str(port),
            "TABIJI_SECRET": secrets.token_hex(32),
            "TABIJI_DATA": data,
            "TABIJI_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
            "TABIJI_KEY_RATE": "1000000",
            "TABIJI_BREAKER_ENTRIES": "0",
            "TABIJI_LOG_LEVEL": "warning",
        }
        async with _process((sys.executable, "-m", "tabiji.cli", "api"), port, env) as pid:
            yield Server(port, pid)


@asynccontextmanager
async def _bare(database: Database) -> AsyncGenerator[Server]:
    port = free_port()
    argv = (sys.executable, "-m", "bench.bare", str(port), _address(database))
    async with _process(argv, port, dict(os.environ)) as pid:
        yield Server(port, pid)


@asynccontextmanager
async def _process(argv: Sequence[str], port: int, env: dict[str, str]) -> AsyncGenerator[int]:
    """A server, once it listens."""
    process = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, env=env, stdout=DEVNULL)
    try:
        async with asyncio.timeout(60):
            while not listens(port):
                assert process.returncode is None, argv
                await asyncio.sleep(0.1)
        yield process.pid
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)


def _address(database: Database) -> str:
    shown = database.url.render_as_string(hide_password=False)
    return shown.replace("+aiosqlite", "").replace("+asyncpg", "")


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def machine() -> dict[str, Any]:
    """Where it was measured."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.ingest")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(main(given.only, given.seconds, given.rounds)), indent=2))
