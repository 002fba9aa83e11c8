"""Imports a file with `tabiji import` while an API takes events, and compares how long those take with an idle hour.

    python -m bench.imports                         100,000 people, PostgreSQL, JSON
    python -m bench.imports --people 20000 --only sqlite

API, importer and sender are processes of their own. The sender sends single `track` calls at a fixed rate, whether or
not the one before was answered: idle, while the import runs, and idle again. `during_over_idle` compares 99th
percentiles of the same run; idle is the mean of before and after, since the machine is not ours alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import secrets
import signal
import socket
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.databases import both, settings_of
from bench.load import Source
from models.database import Database
from models.keys import create_key
from tabiji.domain.csv.write import written

ROOT = Path(__file__).parent.parent
RATE = 50
"""Calls a second."""
HEADER = (
    "メールアドレス",
    "会員番号",
    "姓",
    "名",
    "フリガナ",
    "電話番号",
    "会社名",
    "生年月日",
    "都道府県",
    "メルマガ",
)
MAPPING = """
lists = ["fair"]
[consent.marketing]
column = "メルマガ"
source = "trade fair, paper form"
wording = "新製品の案内を受け取ります"
at = 2026-10-01
"""
FAMILIES = ("佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "吉田", "山田")
GIVENS = ("太郎", "花子", "一郎", "美咲", "健太", "陽子", "翔", "葵", "蓮", "結衣", "大輔", "真由美")


def write_people(path: Path, people: int) -> None:
    """A file as a Japanese customer database gives it out, in CP932. One in fifty has something wrong with it."""
    chance = random.Random(1)  # noqa: S311 # the same file each time
    with path.open("w", encoding="cp932", newline="") as out:
        out.write(written(HEADER))
        for number in range(people):
            family, given = chance.choice(FAMILIES), chance.choice(GIVENS)
            phone = f"090-{number // 10000 + 1000:04d}-{number % 10000:04d}" if number % 50 else "12-34"
            day = f"19{60 + number % 40}/{number % 12 + 1}/{number % 28 + 1}"
            row = (f"user{number}@example{number % 50}.com", f"C-{number}", family, given, "ﾔﾏﾀﾞ ﾀﾛｳ", phone)
            out.write(written((*row, f"株式会社{number % 9000}", day, "東京都", "はい" if number % 3 else "いいえ")))


async def main(only: str, people: int, idle: float) -> dict[str, Any]:
    """Both of it, on one database."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "people.csv"
        write_people(file, people)
        (Path(folder) / "map.toml").write_text(MAPPING, encoding="utf-8")
        async with both() as databases:
            (database,) = (each for each in databases if each.dialect == only)
            key = await create_key(database, "bench", "write")
            env = environment(database, Path(folder))
            async with serving(env) as port:
                await send(port, key, 3.0)
                before = await send(port, key, idle)
                stop = Path(folder) / "stop"
                sending = asyncio.create_task(send(port, key, 600.0, stop))
                spent = await take_in(file, env)
                stop.touch()
                during = await sending
                after = await send(port, key, idle)
            return report(people, spent, before, during, after) | {
                "database": database.dialect,
                "settings": await settings_of(database),
            }


def report(people: int, spent: dict[str, float], before: Any, during: Any, after: Any) -> dict[str, Any]:
    """What was seen."""
    calm = (before["p99_ms"] + after["p99_ms"]) / 2
    return {
        "people": people,
        "import": spent | {"people_per_second": round(people / spent["seconds"])},
        "track": {"rate": RATE, "idle_before": before, "during": during, "idle_after": after},
        "during_over_idle": {
            "p50": round(2 * during["p50_ms"] / (before["p50_ms"] + after["p50_ms"]), 2),
            "p99": round(during["p99_ms"] / calm, 2),
        },
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
    }


async def take_in(file: Path, env: dict[str, str]) -> dict[str, float]:
    """`tabiji import`, timed from its start to its end, interpreter and all."""
    argv = (sys.executable, "-m", "tabiji.cli", "import", str(file), "--map", str(file.with_name("map.toml")))
    began, usage = time.perf_counter(), os.times()
    process = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, env=env, stdout=DEVNULL, stderr=PIPE)
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    now = os.times()
    cpu = now.children_user + now.children_system - usage.children_user - usage.children_system
    return {"seconds": round(time.perf_counter() - began, 1), "cpu_seconds": round(cpu, 1)}


async def send(port: int, key: str, seconds: float, stop: Path | None = None) -> dict[str, Any]:
    """Send from another process."""
    plan = json.dumps({"port": port, "key": key, "seconds": seconds, "stop": str(stop or "")})
    argv = (sys.executable, "-m", "bench.imports", "--send", plan)
    process = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, stdout=PIPE)
    out, _ = await process.communicate()
    found: dict[str, Any] = json.loads(out)
    assert set(found["statuses"]) == {"200"}, found
    return found


async def sender(*, port: int, key: str, seconds: float, stop: str) -> dict[str, Any]:
    """The sender's side: each call at its time, on one of a few connections."""
    source = Source("/v1/track", key, 0)
    times: list[float] = []
    statuses: Counter[str] = Counter()
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(16):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))

    async def one(due: float) -> None:
        reader, writer = await free.get()
        writer.write(source.request())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        # From when it was due: a call that has to wait for the one before has waited.
        times.append(time.perf_counter() - due)
        statuses[head[9:12].decode()] += 1
        free.put_nowait((reader, writer))

    began = time.perf_counter()
    calls: list[asyncio.Task[None]] = []
    while (due := began + len(calls) / RATE) < began + seconds and not (stop and Path(stop).exists()):  # noqa: ASYNC240 # a look at one file
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        calls.append(asyncio.create_task(one(due)))
    await asyncio.gather(*calls)
    times.sort()
    return {
        "calls": len(times),
        "p50_ms": round(times[len(times) // 2] * 1000, 2),
        "p99_ms": round(times[len(times) * 99 // 100] * 1000, 2),
        "worst_ms": round(times[-1] * 1000, 1),
        "statuses": dict(statuses),
    }


def environment(database: Database, folder: Path) -> dict[str, str]:
    """Settings of both processes."""
    address = database.url.render_as_string(hide_password=False).replace("+aiosqlite", "").replace("+asyncpg", "")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("TABIJI_")},
        "TABIJI_DATABASE_URL": address,
        "TABIJI_API_PORT": str(free_port()),
        "TABIJI_SECRET": secrets.token_hex(32),
        "TABIJI_DATA": str(folder),
        "TABIJI_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "TABIJI_LOG_LEVEL": "error",
    }


@asynccontextmanager
async def serving(env: dict[str, str]) -> AsyncGenerator[int]:
    """An API."""
    port = int(env["TABIJI_API_PORT"])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tabiji.cli", "api", cwd=ROOT, env=env, stdout=DEVNULL
    )
    try:
        async with asyncio.timeout(60):
            while not listens(port):
                assert process.returncode is None
                await asyncio.sleep(0.1)
        yield port
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def entry(arguments: Sequence[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.imports")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--only", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--idle", type=float, default=20.0, help="seconds of the idle measurement, each")
    parser.add_argument("--send", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.send:
        print(json.dumps(asyncio.run(sender(**json.loads(given.send)))))
        return
    print(json.dumps(asyncio.run(main(given.only, given.people, given.idle)), indent=2))


if __name__ == "__main__":
    entry(sys.argv[1:])
