"""Callers who come at the same moment share a transaction, and nothing else. On both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.contact import Contact
from models.database import Database
from models.event import Event
from models.group import Entrance
from models.record import Recorded
from models.sqlite import Lane
from tabiji.errors import Busy, DatabaseDown, InvalidEvent, UnknownContact
from tests.databases import PostgresServer
from tests.road.parts import Road, did

T = TypeVar("T")
NOBODY = UUID("00000000-0000-7000-8000-000000000000")


def _entrance(road: Road, **options: int) -> Entrance:
    return Entrance(road.database, road.catalog, road.clock, road.outbox, **options)


async def _commits(road: Road) -> int:
    """Each transaction has a time of its own."""
    return len({row.recorded_at for row in await road.rows(Event)})


async def test_who_comes_together_shares_transactions_and_each_gets_their_own_answer(database: Database) -> None:
    road = Road(database)
    entrance = _entrance(road, at_once=1)
    said = [did("Page Viewed", user_id=f"u{number}") for number in range(64)]

    answers = await asyncio.gather(*(entrance.record([one]) for one in said))

    seqs = {row.message_id: row.seq for row in await road.rows(Event)}
    assert [item.seq for [item] in answers] == [seqs[one.message_id] for one in said]
    assert len({item.contact_id for [item] in answers}) == 64
    assert await _commits(road) == 1


async def test_while_one_group_is_stored_the_next_one_gathers(database: Database) -> None:
    """Each of 16 clients sends its next event when the last is answered."""
    road = Road(database)
    entrance = _entrance(road, at_once=1)

    async def client(name: str) -> list[int]:
        return [(await entrance.record([did("Page Viewed", user_id=name)]))[0].seq for _ in range(8)]

    orders = await asyncio.gather(*(client(f"u{number}") for number in range(16)))

    assert all(order == sorted(order) for order in orders)
    assert await road.count(Event) == 128
    assert await _commits(road) < 32


async def test_transactions_side_by_side_lose_and_swap_nothing(postgresql: Database) -> None:
    road = Road(postgresql)
    entrance = _entrance(road, at_once=4, group=5)

    async def client(name: str) -> list[int]:
        return [(await entrance.record([did("Page Viewed", user_id=name)]))[0].seq for _ in range(8)]

    orders = await asyncio.gather(*(client(f"u{number % 4}") for number in range(16)))

    assert all(order == sorted(order) for order in orders)
    assert await road.count(Event) == 128
    assert await road.count(Contact) == 4


async def test_one_contacts_events_in_a_group_keep_the_order_they_came_in(sqlite: Database) -> None:
    road = Road(sqlite)
    entrance = _entrance(road)

    answers = await asyncio.gather(
        entrance.record([did("Page Viewed", user_id="u"), did("Form Submitted", user_id="u")]),
        entrance.record([did("Order Completed", user_id="u")]),
    )

    assert await _commits(road) == 1
    seqs = [item.seq for answer in answers for item in answer]
    assert seqs == sorted(seqs)
    # The goal counts: it came after what entered them.
    assert [pending.enrollment_id for pending in road.outbox.pending] == [answers[0][1].entered[0]] * 2


async def test_who_brings_what_cannot_be_stored_alone_gets_the_error(database: Database) -> None:
    road = Road(database)
    entrance = _entrance(road, at_once=1)
    good = [did("Page Viewed", user_id=f"u{number}") for number in range(9)]
    too_many = did("Identified", user_id="u3", traits={f"t{number}": number for number in range(1000)})
    said = [*good[:3], did("Page Viewed", contact_id=NOBODY), *good[3:6], too_many, *good[6:]]

    answers = await asyncio.gather(*(entrance.record([one]) for one in said), return_exceptions=True)

    failed = {place: type(answer) for place, answer in enumerate(answers) if isinstance(answer, BaseException)}
    assert failed == {3: UnknownContact, 7: InvalidEvent}
    assert sorted(row.message_id for row in await road.rows(Event)) == sorted(one.message_id for one in good)


async def test_of_one_batch_what_can_be_stored_is_and_the_rest_is_named(sqlite: Database) -> None:
    road = Road(sqlite)
    said = [did("Page Viewed", user_id="u") for _ in range(7)]
    said[4] = did("Page Viewed", contact_id=NOBODY)

    answers = await _entrance(road).record_each(said)

    assert [place for place, answer in enumerate(answers) if isinstance(answer, UnknownContact)] == [4]
    seqs = [answer.seq for answer in answers if isinstance(answer, Recorded)]
    assert seqs == sorted(seqs)
    assert await road.count(Event) == 6


async def test_a_caller_who_leaves_stops_nobody_and_is_stored_all_the_same(database: Database) -> None:
    """Browsers send what a page has to say while they close it."""
    road = Road(database)
    entrance = _entrance(road, at_once=1)
    calls = [asyncio.create_task(entrance.record([did("Page Viewed", user_id=f"u{n}")])) for n in range(8)]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()

    answers = await asyncio.gather(*calls, return_exceptions=True)
    await entrance.close()

    assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [True, False] * 4
    assert await road.count(Event) == 8


async def test_who_finds_the_room_full_is_told_to_come_later(sqlite: Database) -> None:
    road = Road(sqlite)
    entrance = _entrance(road, room=10)
    calls = [asyncio.create_task(entrance.record([did("Page Viewed")])) for _ in range(12)]

    answers = await asyncio.gather(*calls, return_exceptions=True)

    refused = [answer for answer in answers if isinstance(answer, Busy)]
    assert len(refused) == 2
    assert all(answer.retry_after is not None for answer in refused)
    assert await road.count(Event) == 10
    # A batch larger than the room comes in when nobody waits.
    assert len(await entrance.record([did("Page Viewed") for _ in range(11)])) == 11


class _LosesAnswers(Database):
    """Commits, and the connection is gone before anybody hears of it."""

    async def transact(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, T]], lane: Lane = Lane.PEOPLE) -> T:
        """See base class."""
        await super().transact(work, lane)
        raise DatabaseDown("gone")


async def test_on_sqlite_too_an_unclear_end_is_everybodys(sqlite: Database) -> None:
    road = Road(sqlite)
    unlucky = _LosesAnswers(sqlite.url.render_as_string(hide_password=False))
    said = [did("Form Submitted", user_id=f"u{number}") for number in range(4)]
    entrance = Entrance(unlucky, road.catalog, road.clock, road.outbox)

    answers = await asyncio.gather(*(entrance.record([one]) for one in said), return_exceptions=True)
    await unlucky.close()

    assert [type(answer) for answer in answers] == [DatabaseDown] * 4
    again = await asyncio.gather(*(_entrance(road).record([one]) for one in said))
    assert all(item.duplicate for [item] in again)
    assert await road.count(Event) == 4


class _Line:
    """Stands between us and PostgreSQL. When it is told to, it breaks just as something is answered."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self.breaks_at = b""
        self.broken = 0
        self._ways: set[asyncio.Task[None]] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        from_server, to_server = await asyncio.open_unix_connection(f"{self._socket}/.s.PGSQL.5432")
        ways = {
            asyncio.create_task(self._pass_on(reader, to_server)),
            asyncio.create_task(self._pass_on(from_server, writer)),
        }
        self._ways |= ways
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for end in (to_server, writer):
            end.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.breaks_at and self.breaks_at in data:
                self.broken += 1
                return
            writer.write(data)
            await writer.drain()

    async def close(self) -> None:
        """Hang up everywhere."""
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)


@asynccontextmanager
async def _over_a_line(postgres: PostgresServer, database: Database) -> AsyncGenerator[tuple[Database, _Line]]:
    line = _Line(postgres.socket)
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    over = Database(f"postgresql://postgres@127.0.0.1:{port}/{database.url.database}")
    try:
        yield over, line
    finally:
        await over.close()
        server.close()
        await line.close()


async def test_when_the_answer_to_a_commit_is_lost_all_are_told_and_a_repeat_stores_once(
    postgres: PostgresServer, postgresql: Database
) -> None:
    """Nobody knows whether it is stored: everybody sends again, and it is there once."""
    road = Road(postgresql)
    said = [did("Form Submitted", user_id=f"u{number}") for number in range(8)]
    async with _over_a_line(postgres, postgresql) as (over, line):
        entrance = Entrance(over, road.catalog, road.clock, road.outbox, at_once=1)
        await entrance.record([did("Page Viewed")])
        line.breaks_at = b"COMMIT\x00Z"

        answers = await asyncio.gather(*(entrance.record([one]) for one in said), return_exceptions=True)

        assert [type(answer) for answer in answers] == [DatabaseDown] * 8
        assert line.broken == 1
        line.breaks_at = b""
        again = await asyncio.gather(*(entrance.record([one]) for one in said))

    assert all(item.duplicate for [item] in again)
    assert await road.count(Event) == 9
    assert road.outbox.pending == []


async def test_a_line_that_breaks_in_the_middle_of_a_group_is_a_database_that_is_down(
    postgres: PostgresServer, postgresql: Database
) -> None:
    road = Road(postgresql)
    said = [did("Form Submitted", user_id=f"u{number}") for number in range(8)]
    async with _over_a_line(postgres, postgresql) as (over, line):
        entrance = Entrance(over, road.catalog, road.clock, road.outbox, at_once=1)
        await entrance.record([did("Page Viewed")])
        line.breaks_at = b"INSERT 0 8\x00"

        answers = await asyncio.gather(*(entrance.record([one]) for one in said), return_exceptions=True)

        assert [type(answer) for answer in answers] == [DatabaseDown] * 8
        assert line.broken == 1
        assert await road.count(Event) == 1
        line.breaks_at = b""
        again = await asyncio.gather(*(entrance.record([one]) for one in said))

    assert not any(item.duplicate for [item] in again)
