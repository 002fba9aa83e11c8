"""What a process's outbox has done, for Prometheus: API and worker each have one."""

from __future__ import annotations

from dataclasses import fields
from functools import partial

from prometheus_client import CollectorRegistry, Gauge

from activities.dispatch import Counts


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
