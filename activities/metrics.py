"""What a process's outbox has done, for Prometheus: API and worker each have one."""

from __future__ import annotations

from dataclasses import fields
from functools import partial

from prometheus_client import CollectorRegistry, Gauge

from activities.dispatch import Counts
from activities.webhook_delivery import Sent


def watch(counts: Counts, registry: CollectorRegistry) -> None:
    """Show the counts, read afresh at each look."""
    gauge = Gauge(
        "tabiji_dispatches",
        "Starts and signals of this process since it started, by fate; redelivered ones were caught by the sweep",
        ("fate",),
        registry=registry,
    )
    for fate in fields(counts):
        gauge.labels(fate.name).set_function(partial(getattr, counts, fate.name))


def watch_webhooks(sent: Sent, registry: CollectorRegistry) -> None:
    """The same for webhooks that go out; failed ones are tried again, dead ones wait for somebody to look."""
    gauge = Gauge(
        "tabiji_webhooks",
        "Tries of webhooks by this process since it started, by fate",
        ("fate",),
        registry=registry,
    )
    for fate in fields(sent):
        gauge.labels(fate.name).set_function(partial(getattr, sent, fate.name))
