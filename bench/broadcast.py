"""Mails per second of a broadcast, beside a bare loop over the same template, signature, relay and connections.

    python -m bench.broadcast [--people 3000] [--rounds 3] [--database postgresql://…]

Ours claims, renders, tracks, signs, sends and marks under Temporal; the bare loop renders, signs and sends. One process
does both, and rounds take turns; the relay, `bench.sink`, has a process of its own. A broadcast lasts from the first
mail the ledger has sent to the last, plus its first page's head start. Prints one JSON object: rates, their ratio, and
the processor's time for each mail, which tells more than the clock on a machine that has other work.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from temporalio.client import Client
from temporalio.worker import Worker

from activities.dispatch import Dispatcher
from activities.registry import registered
from bench.sinks import running
from models.base import new_id
from models.broadcasts import Broadcasts, Plan, Whom
from models.bulk import Rows
from models.clock import SystemClock
from models.contact import Consent, Contact, ContactTag
from models.database import Database
from models.reads.broadcasts import show_broadcast
from models.reads.contacts import ContactShown, whom_to_write
from models.schema import upgrade
from tabiji import JourneyPlugin, log
from tabiji.channels.email.compose import Mail, Mailbox, compose
from tabiji.channels.email.dkim import make_key
from tabiji.channels.email.facts import Facts, contact_facts
from tabiji.channels.email.links import Links
from tabiji.channels.email.render import Renderer
from tabiji.channels.email.smtp.settings import relays_of
from tabiji.deploys.versions import at_work, promote
from tabiji.domain.broadcasts import BROADCAST, BroadcastOrder
from tabiji.domain.journeys import Catalog
from tabiji.domain.topics import Topics
from tabiji.settings import Settings
from tabiji.testing import dev_server
from workflows.housekeeping.broadcast import SendBroadcast

QUEUE = "bench"
TEMPLATE = "whitepaper/welcome"
TAG = "all"
_CONTACTS = Rows(Contact, ("id", "email", "attributes", "score", "created_at", "recorded_at"))
_CONSENTS = Rows(Consent, ("contact_id", "topic", "given", "confirmed", "source", "at", "recorded_at"))
_TAGS = Rows(ContactTag, ("contact_id", "tag", "at", "recorded_at"))


async def main(people: int, rounds: int, database_url: str | None) -> None:
    """Print what was measured."""
    log.configure("error", process="bench")
    with tempfile.TemporaryDirectory() as folder:
        async with running() as relay:
            settings = _settings(Path(folder), relay.port, database_url)
            await upgrade(settings.database)
            database = Database(settings.database)
            found, cpu = await _measured(settings, database, people, rounds)
            await database.close()
            taken = await relay.counts()
    ratios = [ours / bare for ours, bare in zip(found["ours"], found["bare"], strict=True)]
    shown = {
        "people": people,
        "mails_a_second": {kind: round(statistics.median(rates), 1) for kind, rates in found.items()},
        "cpu_ms_a_mail": {kind: round(1000 * statistics.median(spent), 3) for kind, spent in cpu.items()},
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "mails": {"expected": 2 * people * (rounds + 1), "taken": taken["mails"], "distinct": taken["distinct"]},
    }
    print(json.dumps(shown, indent=2))


def _settings(folder: Path, port: int, database_url: str | None) -> Settings:
    key = folder / "dkim.pem"
    key.write_bytes(make_key("rsa"))
    return Settings(
        _env_file=None,  # type: ignore[call-arg] # pydantic-settings takes it
        database_url=database_url or f"sqlite:///{folder / 'bench.sqlite3'}",
        smtp_port=port,
        smtp_connections=8,
        dkim_selector=("bench",),
        dkim_key=(key,),
        secret="s" * 32,  # type: ignore[arg-type] # pydantic makes it secret
    )


async def _measured(
    settings: Settings, database: Database, people: int, rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    ids = await crowd(database, people)
    made: list[Callable[..., Any]] = []
    found: dict[str, list[float]] = {"ours": [], "bare": []}
    cpu: dict[str, list[float]] = {"ours": [], "bare": []}
    async with dev_server(JourneyPlugin(journeys=[], activities=made)) as temporal:
        dispatcher = Dispatcher(temporal.client, database, Catalog([]), task_queue=QUEUE)
        async with registered(settings, database, Catalog([]), dispatcher, Topics()) as activities:
            made += activities
            worker = Worker(
                temporal.client,
                task_queue=QUEUE,
                workflows=[SendBroadcast],
                activities=made,
                deployment_config=at_work(settings.deployment, "bench"),
            )
            async with worker:
                await promote(temporal.client, settings.deployment, "bench")
                for number in range(rounds + 1):
                    for kind, round_of in (
                        ("ours", _ours(temporal.client, database, people)),
                        ("bare", _bare(settings, database, ids)),
                    ):
                        before = time.process_time()
                        rate = await round_of
                        if number:  # the first warms both
                            found[kind].append(rate)
                            cpu[kind].append((time.process_time() - before) / people)
    return found, cpu


async def crowd(database: Database, people: int) -> list[UUID]:
    """People with the tag who have agreed."""
    now, ids = datetime.now(UTC), [new_id() for _ in range(people)]
    for start in range(0, people, 1000):
        page = ids[start : start + 1000]
        async with database.write() as tx:
            facts = {"first_name": "Hanako", "company": "Example"}
            await _CONTACTS.write(tx, [(id, f"{id}@example.jp", facts, 0, now, now) for id in page])
            await _CONSENTS.write(tx, [(id, "marketing", True, True, "bench", now, now) for id in page])
            await _TAGS.write(tx, [(id, TAG, now, now) for id in page])
    return ids


async def _ours(client: Client, database: Database, people: int) -> float:
    """Mails a second, the writing down of recipients included."""
    plan = Plan(name="bench", template=TEMPLATE, topic="marketing", whom=Whom(tag=TAG))
    id = await Broadcasts(database, SystemClock()).create(plan, by="bench")
    begun = time.perf_counter()
    await client.execute_workflow(
        BROADCAST,
        BroadcastOrder(broadcast_id=str(id)),
        id=f"broadcast/{id}",
        task_queue=QUEUE,
        result_type=str,
    )
    took = time.perf_counter() - begun
    async with database.read() as tx:
        shown = await show_broadcast(tx, id)
    if shown is None or shown.progress.sent != people:
        raise SystemExit(f"not everybody got it: {shown}")
    return people / took


async def _bare(settings: Settings, database: Database, ids: Sequence[UUID]) -> float:
    """Mails a second of a loop that keeps nothing: the people are read before it begins."""
    async with database.read() as tx:
        pages = [await whom_to_write(tx, ids[start : start + 500]) for start in range(0, len(ids), 500)]
    people = [one for page in pages for one in page.values()]
    carrier = relays_of(settings)
    plain = _Plain(settings)
    waiting = iter(people)
    begun = time.perf_counter()

    async def connection() -> None:
        for contact in waiting:
            await carrier.send(plain.write(contact), within=timedelta(seconds=60))

    await asyncio.gather(*(connection() for _ in range(settings.smtp_connections)))
    took = time.perf_counter() - begun
    await carrier.close()
    return len(people) / took


class _Plain:
    """What the bare loop writes with: the same template and facts, no tracking."""

    def __init__(self, settings: Settings) -> None:
        self._renderer = Renderer(settings.templates / "email")
        self._links = Links(settings.signing_secret, settings.public_url)
        self._sender = Mailbox.parse(settings.mail_from, "TABIJI_MAIL_FROM")
        self._common = {
            "journey": Facts("journey", {"name": "bench"}),
            "sender": Facts("sender", {"name": self._sender.name, "email": self._sender.email}),
            "public_url": settings.public_url,
            "postal_address": settings.postal_address,
        }

    def write(self, contact: ContactShown) -> Mail:
        """One mail."""
        id, now = uuid4().hex, datetime.now(UTC)
        facts = {
            **self._common,
            "contact": contact_facts(
                contact.attributes,
                id=str(contact.id),
                email=contact.email,
                locale=contact.locale,
                timezone=contact.timezone,
                tags=contact.tags,
                lists=contact.lists,
            ),
            "unsubscribe_url": (way_out := self._links.unsubscribe(contact.id, "marketing", id)),
            "preferences_url": self._links.preferences(contact.id, contact.email or "", at=now),
        }
        return compose(
            self._renderer.render(TEMPLATE, facts),
            public_id=id,
            sender=self._sender,
            recipient=contact.email or "",
            date=now,
            unsubscribe_url=way_out,
        )


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--people", type=int, default=3000)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--database", default=None)
    given = asked.parse_args()
    asyncio.run(main(given.people, given.rounds, given.database))
