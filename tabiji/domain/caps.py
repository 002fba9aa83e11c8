"""Caps: how many messages a person gets within a rolling window, all channels and journeys together.

    2 per 1d, 6 per 7d; newsletter: 1 per 7d

A window is rolling: with two a day, the third may go out 24 hours after the first, whatever the date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tabiji.domain.durations import in_words, parse_duration

LONGEST_WINDOW = timedelta(days=366)
SHORTEST_WINDOW = timedelta(minutes=1)
_CAP = re.compile(r"(\d{1,4})\s+(?:per|in)\s+(.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many within this much time, of any moment one looks back from."""

    most: int
    within: timedelta

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.most < 1:
            raise ValueError("a cap lets at least one message through; what nobody is to get needs no consent topic")
        if not SHORTEST_WINDOW <= self.within <= LONGEST_WINDOW:
            raise ValueError("the window of a cap is between a minute and 366 days, e.g. 2 per 1d")

    @classmethod
    def parse(cls, text: str) -> Cap:
        """Read ``2 per 1d`` or ``1 per 12 hours``.

        Raises:
            ValueError: It is none; the message says what is.
        """
        found = _CAP.fullmatch(text.strip())
        within = parse_duration(found[2]) if found else None
        if found is None or within is None:
            raise ValueError(f"{text.strip()!r} is no cap; say how many in how long, e.g. 2 per 1d")
        return cls(int(found[1]), within)

    def __str__(self) -> str:
        return f"{self.most} per {in_words(self.within)}"

    def taken(self, times: Sequence[datetime], at: datetime) -> int:
        """How much of it is used up at a moment. What lies after it counts too: clocks of workers differ."""
        since = at - self.within
        return sum(time > since for time in times)

    def free_from(self, times: Sequence[datetime], at: datetime) -> datetime:
        """The first moment from `at` on at which there is room for one more. `times`: in any order."""
        newest = sorted(times, reverse=True)[: self.most]
        return at if len(newest) < self.most else max(at, newest[-1] + self.within)


@dataclass(frozen=True)
class Caps:
    """Those a house has: over everything, and by topic. Where both bear on a message, both hold."""

    overall: tuple[Cap, ...] = ()
    by_topic: Mapping[str, tuple[Cap, ...]] = field(default_factory=dict[str, tuple[Cap, ...]])

    @classmethod
    def parse(cls, text: str) -> Caps:
        """Read ``2 per 1d, 6 per 7d; newsletter: 1 per 7d``.

        Raises:
            ValueError: A part of it is none; the message names it.
        """
        overall: tuple[Cap, ...] = ()
        by_topic: dict[str, tuple[Cap, ...]] = {}
        for part in filter(None, (part.strip() for part in text.split(";"))):
            topic, colon, caps = part.rpartition(":")
            found = tuple(Cap.parse(cap) for cap in caps.split(","))
            if colon:
                by_topic[topic.strip()] = by_topic.get(topic.strip(), ()) + found
            else:
                overall += found
        return cls(overall, by_topic)

    def also(self, by_topic: Mapping[str, tuple[Cap, ...]]) -> Caps:
        """With what topics declare for themselves."""
        topics = self.by_topic.keys() | by_topic.keys()
        return Caps(self.overall, {one: self.by_topic.get(one, ()) + by_topic.get(one, ()) for one in topics})

    def longest(self, topics: Iterable[str]) -> timedelta | None:
        """How far back one must look for messages of these topics; None: nothing bears on them."""
        windows = [cap.within for cap in self.overall]
        windows += [cap.within for topic in topics for cap in self.by_topic.get(topic, ())]
        return max(windows, default=None)

    def __bool__(self) -> bool:
        return bool(self.overall or self.by_topic)
