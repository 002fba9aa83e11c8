"""The database finds whom the pure filter means, all of them and nobody else."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from uuid import UUID

from sqlalchemy import select

from models.audience import count, members, people_behind, told
from models.contact import Contact
from models.database import Database, table
from tabiji import attr, consented, everyone, in_list, in_stage, scored, tagged
from tabiji.domain.audience import Audience
from tests.occasions.house import House

ATOMS: tuple[Audience, ...] = (
    everyone,
    tagged("vip"),
    tagged("lost"),
    in_list("readers"),
    in_stage("customer"),
    consented("news"),
    scored(50),
    scored(10, below=60),
    attr("plan") == "pro",
    attr("plan") != "pro",
    attr("plan").one_of("pro", "team"),
    attr("plan").starts_with("p"),
    attr("orders") >= 3,
    attr("orders") == 1,
    attr("address.city") == "大阪",
    attr("プラン") == "pro",
    attr("timezone") == "Asia/Tokyo",
)


async def populate(house: House) -> None:
    chance = Random(7)  # noqa: S311 # nobody's secret
    for _ in range(60):
        attributes = {
            "plan": chance.choice(["pro", "team", "PRO", "", None, 1, True, ["pro"]]),
            "orders": chance.choice([0, 1, 1.0, True, "1", 3, 7.5, None]),
            "address": chance.choice([{"city": "大阪"}, {"city": "Osaka"}, "大阪", None]),
            "プラン": chance.choice(["pro", "team"]),
        }
        await house.contact(
            tags=[tag for tag in ("vip", "lost") if chance.random() < 0.4],
            consents=[("news", chance.random() < 0.6) for _ in range(chance.randint(0, 3))],
            lists=[name for name in ("readers", "guests") if chance.random() < 0.4],
            stage=chance.choice([None, "lead", "customer"]),
            score=chance.randint(-10, 100),
            timezone=chance.choice([None, "Asia/Tokyo", "Europe/Berlin"]),
            **{name: value for name, value in attributes.items() if chance.random() < 0.8},
        )


async def ids(database: Database, audience: Audience, *, limit: int = 500) -> list[UUID]:
    found: list[UUID] = []
    after: UUID | None = None
    async with database.read() as tx:
        while True:
            rows, after = await members(tx, audience, after=after, limit=limit)
            found += [row.id for row in rows]
            if after is None:
                return found


async def test_the_database_and_the_pure_filter_mean_the_same_people(database: Database) -> None:
    await populate(House(database, now=datetime(2027, 1, 1, tzinfo=UTC)))
    contacts = table(Contact)
    async with database.read() as tx:
        rows = (await tx.execute(select(contacts).order_by(contacts.c.id))).all()
        people = await people_behind(tx, rows)
    neighbours = (1, 4) if database.dialect == "sqlite" else (1,)
    for one, other in ((ATOMS[at], ATOMS[at - away]) for away in neighbours for at in range(len(ATOMS))):
        for audience in (one, ~one, one & ~other, ~(one | other), (one & other) | ~one):
            wanted = [id for id, person in people.items() if audience.includes(person)]
            assert await ids(database, audience) == wanted, audience
            if told(audience).exact:
                async with database.read() as tx:
                    assert await count(tx, audience) == len(wanted), audience


async def test_pages_are_of_the_database_and_none_is_lost_between_them(sqlite: Database) -> None:
    await populate(House(sqlite, now=datetime(2027, 1, 1, tzinfo=UTC)))
    for audience in (everyone, attr("orders") >= 3, tagged("vip") & ~(attr("plan") == "pro")):
        whole = await ids(sqlite, audience)
        assert whole
        assert await ids(sqlite, audience, limit=7) == whole
        async with sqlite.read() as tx:
            assert await count(tx, audience) == len(whole)


async def test_who_was_merged_into_another_is_counted_once(sqlite: Database) -> None:
    house = House(sqlite, now=datetime(2027, 1, 1, tzinfo=UTC))
    one, other = await house.contact(), await house.contact()
    await house.change(one, merged_into=other)
    assert await ids(sqlite, everyone) == [other]
