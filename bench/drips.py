"""The same drip with what a Python user would pick from PyPI: people per second, and how late the second mail is.

    python -m bench.drips [--people 300] [--wait 5]

A mail at once and one some seconds later, to people who all join in the same moment, over SMTP into the same sink (a
process of its own). Ours: `tabiji up` in a fresh project, people sent to `POST /v1/batch`. The others: Tryton's
trytond-marketing-automation and django-drip-campaigns, each on SQLite in an environment of its own made by pip, with
the jobs they leave to cron run again and again without a pause, which is the best they can do. As they ship, Tryton's
run every hour and every quarter of an hour and Django's once a day; that is how late their mails are then.

None of the two knows consent, quiet hours or signed links, or survives being killed between a mail and its note.
Late is a second mail by what it counts from: its own person's first mail, with Django's the moment people joined.
Below zero a mail is early: the other packages count from before the first mail is on its way. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

from bench.desk import desk, quantiles, run
from bench.sinks import Sink, running

ROOT = Path(__file__).parent.parent
PEERS = ROOT / "bench" / "peers"
JOURNEY = '''"""The drip."""

from datetime import timedelta

from tabiji import Journey, journey, on


@journey(trigger=on("Joined"))
class Drip(Journey):
    """A mail, a wait, a mail."""

    async def steps(self) -> None:
        await self.send_email("whitepaper/welcome")
        await self.wait(timedelta(seconds={wait}))
        await self.send_email("demo/follow-up")
'''


async def main(people: int, wait: int) -> None:
    """Print what was measured."""
    report: dict[str, Any] = {"people": people, "seconds_between": wait}
    report["tabiji"] = await _ours(people, wait)
    with tempfile.TemporaryDirectory() as folder:
        python = await _environment(Path(folder))
        for name, script in (("django-drip-campaigns", "django_drip.py"), ("trytond", "tryton_drip.py")):
            report[name] = await _theirs(python, PEERS / script, people, wait)
    print(json.dumps(report, indent=2))


async def _ours(people: int, wait: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        await run(sys.executable, "-m", "tabiji.cli", "new", str(project), cwd=ROOT)
        (project / "workflows" / "drip.py").write_text(JOURNEY.format(wait=wait))
        taken = Path(folder) / "taken.jsonl"
        async with running("--file", str(taken)) as relay, desk(project, relay=relay.port) as env:
            key = (project / ".tabiji" / "key").read_text().strip()
            async with httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{env['TABIJI_API_PORT']}",
                headers={"Authorization": f"Bearer {key}"},
                trust_env=False,
                timeout=60,
            ) as api:
                for first in range(0, people, 100):
                    who = range(first, min(first + 100, people))
                    await _post(api, [{"type": "identify", "userId": f"u{n}", "traits": _traits(n)} for n in who])
                    for n in who:
                        await _consents(api, n)
                began = time.time()
                for first in range(0, people, 100):
                    who = range(first, min(first + 100, people))
                    await _post(api, [{"type": "track", "userId": f"u{n}", "event": "Joined"} for n in who])
                await _has(relay, 2 * people)
        return _figures(taken, began, people, wait)


async def _has(relay: Sink, mails: int) -> None:
    async with asyncio.timeout(600):
        while (await relay.counts())["mails"] < mails:  # noqa: ASYNC110 # another process tells nobody
            await asyncio.sleep(0.1)


def _traits(n: int) -> dict[str, str]:
    return {"email": f"p{n}@example.com", "first_name": "Hanako"}


async def _consents(api: httpx2.AsyncClient, n: int) -> None:
    found = (await api.get("/v1/contacts", params={"user_id": f"u{n}", "limit": "1"})).raise_for_status().json()
    agreed = {"topic": "marketing", "given": True, "source": "bench"}
    (await api.post(f"/v1/contacts/{found['id']}/consents", json=agreed)).raise_for_status()


async def _post(api: httpx2.AsyncClient, batch: list[dict[str, Any]]) -> None:
    (await api.post("/v1/batch", json={"batch": batch})).raise_for_status()


async def _theirs(python: Path, script: Path, people: int, wait: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder) / "taken.jsonl"
        async with running("--file", str(taken)) as relay:
            process = await asyncio.create_subprocess_exec(
                *(str(python), str(script), folder, str(relay.port), str(people), str(wait)),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            said, _ = await process.communicate()
            if process.returncode:
                raise SystemExit(f"{script.name} failed")
            await _has(relay, 2 * people)
        times = json.loads(said)
        since = times["joined"] if script.name == "django_drip.py" else None
        return _figures(taken, times["began"], people, wait, since=since)


def _figures(taken: Path, began: float, people: int, wait: int, *, since: float | None = None) -> dict[str, Any]:
    times: dict[str, list[float]] = {}
    for line in taken.read_text().splitlines():
        mail = json.loads(line)
        times.setdefault(mail["recipient"], []).append(mail["at"])
    late = [second - (since or first) - wait for first, second in (sorted(each)[:2] for each in times.values())]
    ended = max(max(each) for each in times.values())
    return {
        "people_a_second": round(people / (ended - began - wait), 1),
        "second_mail_late_ms": quantiles(late),
        "late_ms_mean": round(statistics.mean(late) * 1000, 1),
        "mails": sum(len(each) for each in times.values()),
    }


async def _environment(folder: Path) -> Path:
    await run(sys.executable, "-m", "venv", str(folder / "peers"), cwd=ROOT)
    python = folder / "peers" / "bin" / "python"
    await run(str(python), "-m", "pip", "install", "-q", "-r", str(PEERS / "requirements.txt"), cwd=ROOT)
    return python


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--people", type=int, default=300)
    given.add_argument("--wait", type=int, default=5)
    asyncio.run(main(**vars(given.parse_args())))
