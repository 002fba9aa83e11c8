from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from activities.dispatch import Counts
from activities.metrics import watch, watch_relays
from tabiji.channels.email.smtp.relay import Tally


def test_the_outbox_s_counts_are_read_afresh_at_each_look() -> None:
    """Worker and API show the same figures; one that the sweep redelivered is a delivery the fast road missed."""
    counts, registry = Counts(), CollectorRegistry()
    watch(counts, registry)
    counts.delivered, counts.redelivered = 7, 2

    shown = generate_latest(registry).decode()
    assert 'tabiji_dispatches{fate="delivered"} 7.0' in shown
    assert 'tabiji_dispatches{fate="redelivered"} 2.0' in shown


def test_what_became_of_mails_is_shown_by_relay() -> None:
    """`ours` is the one to raise an alarm on: a relay will not have us."""
    tallies, registry = {"main": Tally(), "spare": Tally()}, CollectorRegistry()
    watch_relays(tallies, registry)
    tallies["main"].taken, tallies["spare"].ours = 3, 1

    shown = generate_latest(registry).decode()
    assert 'tabiji_mails{fate="taken",relay="main"} 3.0' in shown
    assert 'tabiji_mails{fate="ours",relay="spare"} 1.0' in shown
