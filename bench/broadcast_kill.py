"""A broadcast on a desk stack whose worker and Temporal server are killed twice on the way: who got it, and how often?

    python -m bench.broadcast_kill [--people 100000]

`tabiji up` in a fresh project; the relay, `bench.sink`, has a process of its own and writes down each mail it takes.
Worker and server die by -9 after a fifth, two, three and four fifths of the mails; the desk starts them again. Prints
one JSON object: people, mails at the sink, those nobody got, those somebody got twice and how many of them we know of.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import func, select

from bench.broadcast import TAG, TEMPLATE, crowd
from bench.desk import desk, run
from bench.sinks import ROOT, Sink, running
from models.database import Database, table
from models.message import Message

LOOK = 0.2


async def main(people: int) -> None:
    """Print what became of everybody."""
    with tempfile.TemporaryDirectory() as folder:
        project, taken = Path(folder) / "project", Path(folder) / "taken.jsonl"
        await run(sys.executable, "-m", "tabiji.cli", "new", str(project), cwd=ROOT)
        url = f"sqlite:///{project / 'bench.sqlite3'}"
        async with (
            running("--file", str(taken)) as relay,
            desk(project, relay=relay.port, TABIJI_DATABASE_URL=url, TABIJI_SMTP_CONNECTIONS="8") as env,
        ):
            database = Database(url)
            await crowd(database, people)
            begun = time.monotonic()
            shown = await _broadcast(project, env, relay, people)
            took = time.monotonic() - begun
            known = await _perhaps_twice(database, UUID(shown["id"]))
            await database.close()
        print(json.dumps(_figures(taken, people, shown, known) | {"seconds": round(took, 1)}, indent=2))


async def _broadcast(project: Path, env: dict[str, str], relay: Sink, people: int) -> dict[str, Any]:
    key = (project / ".tabiji" / "key").read_text().strip()
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{env['TABIJI_API_PORT']}",
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
        timeout=60,
    ) as api:
        answer = await api.post("/v1/broadcasts", json={"name": "all", "template": TEMPLATE, "tag": TAG})
        answer.raise_for_status()
        id = answer.json()["id"]
        for fifth, name in enumerate(("worker", "temporal", "worker", "temporal"), 1):
            while (await relay.counts())["mails"] < people * fifth // 5:  # noqa: ASYNC110 # another process tells nobody
                await asyncio.sleep(LOOK)
            killed = _pid(project, name)
            os.kill(killed, signal.SIGKILL)
            while _pid(project, name) == killed:  # noqa: ASYNC110 # another process tells nobody
                await asyncio.sleep(LOOK)
        while True:
            shown: dict[str, Any] = (await api.get(f"/v1/broadcasts/{id}")).json()
            if shown["state"] == "done":
                return shown
            await asyncio.sleep(1)


def _pid(project: Path, name: str) -> int:
    """Of a process of the desk, as it is now: another one when it has been started again."""
    return int(json.loads((project / ".tabiji" / "stack.json").read_text())["children"].get(name, 0))


async def _perhaps_twice(database: Database, id: UUID) -> int:
    messages = table(Message)
    async with database.read() as tx:
        repeated = select(func.count()).where(messages.c.broadcast_id == id, messages.c.maybe_twice > 0)
        return await tx.scalar(repeated) or 0


def _figures(taken: Path, people: int, shown: dict[str, Any], known: int) -> dict[str, Any]:
    mails = [json.loads(line) for line in taken.read_text().splitlines()]
    got = Counter(mail["recipient"] for mail in mails)
    return {
        "people": people,
        "mails": len(mails),
        "got_nothing": people - len(got),
        "got_it_twice": sum(1 for times in got.values() if times > 1),
        "got_it_more_often": sum(1 for times in got.values() if times > 2),
        "under_one_message_id": len({(mail["recipient"], mail["message_id"]) for mail in mails}) == len(got),
        "repeated_not_knowing": known,
        "sent_by_the_ledger": shown["progress"]["sent"],
    }


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--people", type=int, default=100_000)
    asyncio.run(main(asked.parse_args().people))
