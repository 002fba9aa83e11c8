"""One worker process, put together: journeys, activities, the outbox, and what they need. `python worker.py`."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from datetime import timedelta
from functools import partial

import structlog
from prometheus_client import REGISTRY, start_http_server
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.broadcast_keeper import Keeper
from activities.dispatch import Dispatcher
from activities.metrics import watch, watch_webhooks
from activities.registry import registered, webhook_post
from activities.schedules import keep_schedules
from activities.steering import Steering
from activities.webhook_delivery import Deliverer
from activities.weighing import keep_weighing
from models import schema
from models.clock import SystemClock
from models.control import pass_gate
from models.database import Database
from tabiji import JourneyPlugin, crash, log, settings
from tabiji.deploys.build import build_here, promotes_itself
from tabiji.deploys.versions import at_work, promote
from tabiji.domain.journeys import Catalog
from tabiji.errors import Refused, TabijiError
from tabiji.journey.calls import EFFECT_HEARTBEAT, EFFECT_TIMEOUT
from tabiji.journey.discovery import discover, discover_topics
from tabiji.settings import Settings
from tabiji.temporal import connect, prepare
from workflows.housekeeping.broadcast import SendBroadcast
from workflows.housekeeping.sweep import Sweep

logger = structlog.stdlib.get_logger(__name__)

LAST_DELIVERIES = 5.0
"""Seconds a stopping worker gives its outbox."""
TERMINATED_EVERY = 60.0
"""Seconds between looks for journeys that were terminated in the Temporal UI."""


async def work(config: Settings) -> None:
    """Work until SIGTERM or Ctrl-C; then take nothing new and finish what has begun."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    database = Database(config.database, pool=config.database_pool)
    await schema.check(database)
    journeys = discover()
    build, topics = build_here(config), discover_topics()
    catalog = Catalog((journey.spec for journey in journeys), unlaunched=config.unlaunched)
    delivering = await connect(config, [JourneyPlugin()])
    await prepare(delivering, config)
    dispatcher = Dispatcher(delivering, database, catalog, task_queue=config.task_queue)
    registry = REGISTRY if config.metrics_port is not None else None
    async with registered(config, database, catalog, dispatcher, topics, registry=registry) as activities:
        plugin = JourneyPlugin(
            journeys=journeys, activities=activities, gate=partial(pass_gate, database), topics=topics
        )
        working = await connect(config, [plugin])
        worker = Worker(
            working,
            task_queue=config.task_queue,
            workflows=[Sweep, SendBroadcast],
            # Whoever begins with this code stays with it, until `tabiji move`.
            deployment_config=at_work(config.deployment, build),
            # Longer than the longest send, so that a stop repeats nothing.
            graceful_shutdown_timeout=EFFECT_TIMEOUT + timedelta(seconds=5),
            # By default only one in eight seconds goes out: one that is late, and a worker that lives counts as dead.
            max_heartbeat_throttle_interval=EFFECT_HEARTBEAT / 4,
            # What waits for a slot waits at no cost. What waits for a database connection inside an attempt lets
            # the attempt run out of time, be tried again, and wait for a connection again.
            max_concurrent_local_activities=config.database_pool,
            max_concurrent_activities=config.database_pool + 4 * config.mail_connections,
        )
        clock = SystemClock(config.clock_shift)
        steering = Steering(database, catalog, clock, dispatcher, resume_rate=config.resume_rate)
        weighing = keep_weighing(database, clock)
        schedules = keep_schedules(delivering, config, catalog, build)
        post = webhook_post(config)
        keeper = Keeper(delivering, database, task_queue=config.task_queue)
        deliverer = Deliverer(database, post, root=config.signing_secret)
        running = (dispatcher.run(), steering.run(), deliverer.run(), keeper.run())
        chores = (*running, _watch_terminated(dispatcher), schedules, weighing)
        background = [asyncio.create_task(chore) for chore in chores]
        if config.metrics_port is not None:
            watch(dispatcher.counts, REGISTRY)
            watch_webhooks(deliverer.sent, REGISTRY)
            start_http_server(config.metrics_port)
        logger.info("worker.started", task_queue=config.task_queue, build=build, journeys=list(catalog.names))
        async with worker:
            if promotes_itself(config):
                background.append(asyncio.create_task(_promote(working, config.deployment, build)))
            await stop.wait()
            logger.info("worker.stopping")
        for task in background:
            task.cancel()
        # What the last journeys have begun is delivered now, not by another process's sweep.
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_DELIVERIES):
                await dispatcher.settle()
                await deliverer.settle()
        await dispatcher.close()
        await deliverer.close()
        await post.close()
    await database.close()
    logger.info("worker.stopped")


async def _promote(client: Client, deployment: str, build: str) -> None:
    while True:
        try:
            await promote(client, deployment, build)
        except (Refused, RPCError) as problem:
            logger.warning("worker.not_current", build=build, problem=str(problem))
        else:
            logger.info("worker.current", build=build)
            return


async def _watch_terminated(dispatcher: Dispatcher) -> None:
    while True:
        await asyncio.sleep(TERMINATED_EVERY)
        try:
            found = await dispatcher.mark_terminated()
            if found:
                logger.info("enrollments.terminated", count=found)
        except Exception as error:
            logger.warning("enrollments.not_checked", problem=type(error).__name__)


def main() -> None:
    """Read the settings and work; one line on standard error when that cannot be."""
    try:
        config = settings.load()
        log.configure(config.log_level, process="worker")
        crash.arm(config.crash_at)
        asyncio.run(work(config))
    except TabijiError as error:
        raise SystemExit(f"worker: {error}") from None


if __name__ == "__main__":
    main()
