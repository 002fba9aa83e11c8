"""The database's first choice among events holds everything a pattern means. On both databases."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from pydantic import JsonValue
from sqlalchemy import select

from models.base import new_id
from models.contact import Contact
from models.database import Database, insert, table
from models.event import Event
from models.filters import may_match
from tabiji import all_of, on, prop, sequence
from tabiji.domain.patterns import Pattern

VALUES: tuple[JsonValue, ...] = (
    "a", "b", "A", "", "1", 1, 1.0, True, "true", None, ["a"], {"b": "a"}, "é", 'say "a"', "a\\b", "2027-01-01",
)  # fmt: skip # a list of troublemakers
X, INSIDE = prop("x"), prop("x.b")
PATTERNS: tuple[Pattern, ...] = (
    on("E"),
    on("E", X == "a"),
    on("E", X != "a"),
    on("E", X == 'say "a"', X.exists()),
    on("E", X.one_of("a", "a\\b", "é")),
    on("E", X.one_of("a", 1)),
    on("E", X.one_of()),
    on("E", (X == "a") & X.contains("a")),
    on("E", (X == "a") | (X == "b")),
    on("E", ~(X == "a")),
    on("E", INSIDE == "a"),
    on("E", X >= "2026-12-31"),
    on("E", X == "a") | on("F", X == "b"),
    sequence(on("E", X == "a"), on("F", X == "a")),
    all_of(on("E", X == "a").times(2), on("F")),
)


async def test_everything_that_matches_is_among_what_the_database_finds(database: Database) -> None:
    now = datetime.now(UTC)
    contact = new_id()
    sent = [(name, {"x": value}) for name in ("E", "F", "G") for value in VALUES] + [("E", {}), ("F", {})]
    rows = [
        {"contact_id": contact, "kind": "track", "name": name, "properties": properties, "context": {},
         "message_id": uuid.uuid4().hex, "at": now, "recorded_at": now}
        for name, properties in sent
    ]  # fmt: skip # one row
    events = table(Event)
    async with database.write() as tx:
        await tx.execute(
            insert(tx, Contact).values(id=contact, attributes={}, score=0, created_at=now, recorded_at=now)
        )
        await tx.execute(insert(tx, Event), rows)
        for pattern in PATTERNS:
            found = (
                await tx.execute(select(events.c.name, events.c.properties).where(may_match(events, pattern)))
            ).all()
            taken = [(row.name, row.properties) for row in found]
            meant = [(name, properties) for name, properties in sent if pattern.matches(name, properties)]
            assert all(one in taken for one in meant), str(pattern)
            assert {name for name, _ in taken} <= pattern.names


async def test_a_text_that_must_be_equal_is_looked_for_by_the_database(sqlite: Database) -> None:
    """Who has looked at ten thousand pages does not hold the lock while all of them are read."""
    told = str(may_match(table(Event), on("E", X == "a", (prop("y") == "b") & prop("z").one_of("c"), INSIDE == "d")))

    assert told.count("event.properties[") == 3
