"""Verbs call activities by name: every order a journey can give has an activity that takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_type_hints

import pytest

from activities.registry import registered
from models.database import Database
from models.enroll import Pending
from tabiji.domain.changes import OwnOrder
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import StepOrder
from tabiji.domain.topics import Topics
from tabiji.settings import Settings

ORDERS = [one for one in StepOrder.__subclasses__() if one is not OwnOrder and one.__module__.startswith("tabiji.")]
"""An author's own activities are called by a name of the author's."""


class Nowhere:
    """Nothing is delivered while signatures are read."""

    def offer(self, pending: list[Pending]) -> None:
        raise AssertionError(pending)


def declared(activity: Any) -> tuple[str, dict[str, Any]]:
    """The name an activity is registered under, and its types."""
    return activity.__temporal_activity_definition.name, get_type_hints(activity.__func__)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.activity)
async def test_every_order_has_an_activity_that_takes_it(
    sqlite: Database, tmp_path: Path, order: type[StepOrder]
) -> None:
    settings = Settings(data=tmp_path, secret="x" * 32)  # type: ignore[arg-type] # pydantic makes it a SecretStr
    async with registered(settings, sqlite, Catalog(), Nowhere(), Topics()) as activities:  # type: ignore[arg-type] # never called
        types = dict(declared(activity) for activity in activities)
    assert types[order.activity] == {"order": order, "return": order.answer}


async def test_no_activity_is_left_without_an_order(sqlite: Database, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, secret="x" * 32)  # type: ignore[arg-type] # pydantic makes it a SecretStr
    async with registered(settings, sqlite, Catalog(), Nowhere(), Topics()) as activities:  # type: ignore[arg-type] # never called
        names = {declared(activity)[0] for activity in activities}
    of_no_journey = {"sweep_page", "broadcast_turn"}
    assert names - of_no_journey == {order.activity for order in ORDERS}
