"""Whatever happens in whatever order, the house in memory and SQLite tell Temporal the same."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from tabiji import all_of, days, hours, on, sequence
from tabiji.domain.changes import SetAttribute, Untag
from tabiji.domain.orders import AdjustScore, Ending, Enter, Listen, LookBack, TagContact
from tabiji.domain.patterns import Pattern
from tests.contract.houses import Did, House, InMemory, OnDatabase, Stands, Trace
from tests.contract.scenarios import ANN, BEN, CATALOG, Play, begun
from tests.databases import sqlite_database

EVENTS = ("Form Sent", "First Visit", "Page Viewed", "Signed Up", "Order Completed", "Unsubscribed")
PATTERNS: tuple[Pattern, ...] = (
    on("Page Viewed", take=("path",)),
    on("Page Viewed", path="/b") | on("Signed Up"),
    on("Page Viewed").times(2, within=hours(30)),
    sequence(on("Signed Up"), on("Page Viewed"), within=days(2)),
    all_of(on("Page Viewed"), on("Tag Added", tag="vip")),
    on("Score Changed", take=("after",)),
)


@dataclass(frozen=True)
class Act:
    """One thing that happens, in a few small numbers, which mean the same in both houses."""

    kind: str
    a: int
    b: int
    c: bool


ACTS = st.builds(
    Act,
    kind=st.sampled_from(
        ["events"] * 4 + ["listen"] * 3 + ["look back", "tag", "untag", "score", "set", "end", "enter", "time", "time"]
    ),
    a=st.integers(0, 5),
    b=st.integers(0, 5),
    c=st.booleans(),
)


VALUES: tuple[JsonValue, ...] = (None, 1, True, "pro", {}, 1.0)


async def perform(play: Play, act: Act, number: int) -> None:
    """Do it, to one of the enrollments there are."""
    known = await play.house.enrollments()
    who = known[act.a % len(known)]
    match act.kind:
        case "events":
            await play.records(*batch(act, number, who))
        case "listen" | "look back":
            await listen_or_look(play, act, who)
        case "tag":
            await play.orders(TagContact, who.id, "tag", act.b, tag="vip")
        case "untag":
            await play.orders(Untag, who.id, "untag", act.b, tag="vip")
        case "score":
            await play.orders(AdjustScore, who.id, "score", act.b, points=20 * act.b - 30, reason="why")
        case "set":
            await play.orders(SetAttribute, who.id, "set", act.b, name="plan", value=VALUES[act.b])
        case "end":
            await play.ends(who.id, Ending.GOAL if act.c else Ending.COMPLETED)
        case "enter":
            wall = play.house.clock.at
            await play.orders(Enter, who.id, "enter", act.b, journey="onboarding", wall=wall, awaited=act.c)
        case _:
            play.passes(hours(10 * (1 + act.b)))


def batch(act: Act, number: int, who: Stands) -> list[Did]:
    """One or two events, now and then one of them twice, or for one enrollment alone."""
    contact = BEN if act.c else ANN
    properties: dict[str, JsonValue] = {"form": "whitepaper", "path": "/b" if act.b % 2 else "/a"}
    names = (EVENTS[act.a], EVENTS[act.b])[: 1 + act.c]
    only = who.id if act.b == 5 and f"/{contact}/" in who.id else None
    deeds = [Did(contact, name, f"m{number}.{place}", properties, only=only) for place, name in enumerate(names)]
    return [*deeds, deeds[0]] if act.b == 4 else deeds


async def listen_or_look(play: Play, act: Act, who: Stands) -> None:
    entry = await play.house.seq_of(who.entry)
    if act.kind == "look back":
        await play.orders(LookBack, who.id, condition=PATTERNS[act.b], entry_seq=entry)
        return
    await play.orders(
        Listen,
        who.id,
        f"wait {act.b}",
        wall=play.house.clock.at,
        condition=PATTERNS[act.b],
        entry_seq=entry,
        from_now=act.c,
        goals=CATALOG.get("nurture").goals if who.id.startswith("nurture") else (),
        done=((f"wait {(act.b + 1) % 6}", 1),),
    )


async def told_by(house: House, acts: list[Act]) -> tuple[Trace, list[Stands]]:
    play = await begun(house, ANN, BEN)
    await play.did("First Visit")
    for number, act in enumerate(acts):
        await perform(play, act, number)
    return play.trace, await house.enrollments()


# No shrinking: an example takes a database, and a sequence that differs names the operation.
@given(acts=st.lists(ACTS, min_size=5, max_size=20))
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
def test_memory_and_sqlite_tell_the_same(acts: list[Act]) -> None:
    async def both() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with sqlite_database(Path(folder)) as database:
                real = await told_by(OnDatabase(database, CATALOG), acts)
        played = await told_by(InMemory(CATALOG), acts)
        for place, (is_played, is_real) in enumerate(zip(played[0], real[0], strict=True)):
            assert is_played == is_real, f"operation {place}"
        assert played[1] == real[1]

    asyncio.run(both())
