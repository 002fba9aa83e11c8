"""What a process's outbox has done, for Prometheus: API and worker each have one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import partial

from prometheus_client import CollectorRegistry, Gauge

from activities.dispatch import Counts
from activities.webhook_delivery import Sent
from tabiji.channels.email.smtp.relay import Tally


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


def watch_relays(tallies: Mapping[str, Tally], registry: CollectorRegistry) -> None:
    """The same for mails, by relay. `ours` growing means that our settings are wrong: worth an alarm."""
    gauge = Gauge(
        "tabiji_mails",
        "Mails this process has asked a relay to take since it started, by relay and fate; ours: it will not have us",
        ("relay", "fate"),
        registry=registry,
    )
    for name, tally in tallies.items():
        for fate in fields(tally):
            gauge.labels(name, fate.name).set_function(partial(getattr, tally, fate.name))


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
