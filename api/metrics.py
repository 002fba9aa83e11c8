"""What this process has done, for Prometheus. One registry per application, so that several can live in a process."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from activities.dispatch import Counts
from activities.metrics import watch
from models.reads.late import Backlog
from models.reads.pauses import Figures

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The figures, under their names."""

    def __init__(self, deliveries: Counts) -> None:
        self.registry = CollectorRegistry()
        watch(deliveries, self.registry)
        self.requests = Histogram(
            "tabiji_http_request_seconds",
            "Time from a request's arrival to the end of its answer",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self.events = Counter(
            "tabiji_events_recorded",
            "Events stored; copies of a messageId do not count",
            ("kind",),
            registry=self.registry,
        )
        self.copies = Counter(
            "tabiji_events_repeated", "Copies of a messageId that came again and were left out", registry=self.registry
        )
        self.problems = Counter(
            "tabiji_event_problems",
            "Where events were not as declared; they were stored all the same",
            ("event",),
            registry=self.registry,
        )
        self.hooks = Counter(
            "tabiji_hooks_received",
            "Webhooks that came in, by source and outcome; refused ones were not signed as they must be",
            ("source", "outcome"),
            registry=self.registry,
        )
        self.touches = Counter(
            "tabiji_touches",
            "Opens and clicks, by who they are taken for; doubtful ones are held for a moment",
            ("what", "verdict"),
            registry=self.registry,
        )
        self.pauses = Gauge("tabiji_pauses", "Pauses in force", registry=self.registry)
        self.held = Gauge("tabiji_held", "Enrollments that a pause holds before an effect", registry=self.registry)
        self.tripped = Gauge(
            "tabiji_breaker_tripped",
            "Pauses of the breaker nobody has resumed: something floods people",
            registry=self.registry,
        )
        self.stopped = Gauge(
            "tabiji_pilots_stopped", "Pilots that have stopped themselves: look at them", registry=self.registry
        )
        self.pending = Gauge("tabiji_dispatch_pending", "Starts and signals not delivered yet", registry=self.registry)
        self.lag = Gauge(
            "tabiji_dispatch_lag_seconds", "Age of the oldest start or signal not delivered yet", registry=self.registry
        )
        self.dead = Gauge("tabiji_dispatch_dead", "Starts and signals that can never arrive", registry=self.registry)

    def show_control(self, figures: Figures, stopped: int) -> None:
        """Take over what was just read of pauses and pilots."""
        self.pauses.set(figures.pauses)
        self.held.set(figures.held)
        self.tripped.set(figures.tripped)
        self.stopped.set(stopped)

    def show_backlog(self, backlog: Backlog) -> None:
        """Take over what was just read."""
        self.pending.set(backlog.pending)
        self.lag.set(backlog.oldest.total_seconds())
        self.dead.set(backlog.dead)


class Measured:
    """Times every request. Labels are routes, never paths: paths carry tokens and ids."""

    def __init__(self, app: ASGIApp, metrics: Callable[[Scope], Metrics]) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = getattr(scope.get("route"), "path", None) or "none"
            self._metrics(scope).requests.labels(method, route, str(status)).observe(time.perf_counter() - began)
