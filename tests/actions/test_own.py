"""An author's own activities are found by themselves, typed, and refused with a place when they cannot be used."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Generator
from pathlib import Path
from typing import get_type_hints

import pytest

from activities.discovery import name_of, own_activities
from tabiji.domain.changes import OwnOrder
from tabiji.errors import ConfigurationError
from tests.actions.doing import environment
from tests.mail.people import NOON

BOOKING = """
    from pydantic import BaseModel
    from temporalio import activity
    from tabiji.domain.changes import OwnOrder

    class Booking(BaseModel):
        room: str

    @activity.defn(name="book_room")
    async def book_room(order: OwnOrder[Booking]) -> str:
        return f"{order.payload.room} for {order.key}"
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[..., str]]:
    """Writes modules of a package of one's own; gives its name."""
    name = f"own_{tmp_path.name.replace('-', '_')}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType] # pytest leaves the path open

    def writing(**modules: str) -> str:
        for module, source in modules.items():
            (tmp_path / name / f"{module}.py").write_text(textwrap.dedent(source))
        return name

    yield writing
    for loaded in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[loaded]


async def test_it_is_found_and_gets_its_payload_typed(write: Callable[..., str]) -> None:
    (book,) = own_activities(package=write(bookings=BOOKING, helpers="from datetime import date\n"))
    assert name_of(book) == "book_room"
    sent = OwnOrder(
        enrollment_id="e", contact_id="c", step="book", visit=1, at=NOON, payload={"room": "A"}
    ).model_dump_json()
    takes = get_type_hints(book)["order"]
    assert await environment().run(book, takes.model_validate_json(sent)) == "A for e/book/1"


def test_two_of_one_name_and_one_with_a_verbs_name_are_refused(write: Callable[..., str]) -> None:
    package = write(bookings=BOOKING, more=BOOKING)
    with pytest.raises(ConfigurationError, match=r"more\.book_room: .*bookings\.book_room has the name 'book_room'"):
        own_activities(package=package)
    with pytest.raises(ConfigurationError, match="the name of a verb's activity"):
        own_activities(["book_room"], package=package)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (BOOKING.replace("async def", "def"), r"bad\.book_room must be `async def`"),
        (BOOKING.replace("order: OwnOrder[Booking]", "order: Booking"), "must take one argument, `order: OwnOrder`"),
        (BOOKING.replace("order: OwnOrder[Booking]", "order: OwnOrder, more: int"), "must take one argument"),
        ("import nothing_of_that_name\n", "ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(write: Callable[..., str], source: str, what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        own_activities(package=write(bad=source))


def test_the_repository_itself_has_none_that_is_broken() -> None:
    own_activities()
