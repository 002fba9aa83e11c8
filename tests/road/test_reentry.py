"""Who may enter again, decided for each key apart. On both databases."""

from __future__ import annotations

from models.database import Database
from models.enrollment import Enrollment
from tabiji.domain.journeys import always, never
from tests.road.parts import Road, did, spec


async def test_each_order_is_an_enrollment_of_its_own_and_none_is_entered_twice(database: Database) -> None:
    road = Road(database, spec("shipping", trigger="Ordered", goals=(), reentry=never.per("order_id")))

    await road.recorder.record([did("Ordered", properties={"order_id": order}) for order in ("a", "b", "a", 7, 7.0)])

    keys = [row.entry_key for row in await road.rows(Enrollment)]
    assert sorted(keys) == ["7", "a", "b"]


async def test_an_event_without_the_key_enters_nobody(sqlite: Database) -> None:
    road = Road(sqlite, spec("shipping", trigger="Ordered", goals=(), reentry=always.per("order_id")))

    await road.recorder.record([did("Ordered", properties=p) for p in ({}, {"order_id": None}, {"order_id": True})])

    assert await road.count(Enrollment) == 0


async def test_at_once_bounds_the_enrollments_of_one_person_over_all_keys(database: Database) -> None:
    reentry = always.per("cart.id", at_once=2)
    road = Road(database, spec("cart", trigger="Cart Left", goals=(), reentry=reentry))

    await road.recorder.record([did("Cart Left", properties={"cart": {"id": cart}}) for cart in "abc"])
    await road.recorder.record([did("Cart Left", who="another", properties={"cart": {"id": "c"}})])

    keys = [row.entry_key for row in await road.rows(Enrollment)]
    assert sorted(keys) == ["a", "b", "c"]
    assert len({row.contact_id for row in await road.rows(Enrollment)}) == 2
