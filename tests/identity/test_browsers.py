"""What a browser says of identities can be said by anybody: it takes nothing from anybody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from models.contact import Contact
from models.database import Database
from models.incoming import Incoming
from tests.road.parts import Road, did

HERS, NEW = "hers@example.com", "new@example.com"


def _typed(**fields: Any) -> Incoming:
    """Said by a browser, at no matter what time it claims."""
    return did("Identify", trusted=False, **fields)


async def _address(road: Road, contact: UUID) -> str | None:
    [row] = await road.rows(Contact, id=contact)
    address: str | None = row.email
    return address


async def test_a_visitor_signs_up_in_the_browser_and_is_known_from_then_on(sqlite: Database) -> None:
    road = Road(sqlite)
    [seen] = await road.recorder.record([_typed(anonymous_id="v")])
    [form] = await road.recorder.record([_typed(anonymous_id="v", email=NEW)])
    [known] = await road.recorder.record([_typed(anonymous_id="v", user_id="u", email=NEW)])
    assert seen.contact_id == form.contact_id == known.contact_id
    assert await _address(road, known.contact_id) == NEW


async def test_an_address_that_leads_to_somebody_else_is_not_taken(sqlite: Database) -> None:
    """Neither for a user id, nor for the visitor, nor by both in two steps; what a server says is stronger."""
    road = Road(sqlite)
    [her] = await road.recorder.record([did("Form Submitted", email=HERS)])
    [thief] = await road.recorder.record([_typed(anonymous_id="evil")])

    [typed] = await road.recorder.record([_typed(anonymous_id="evil", email=HERS)])
    [then] = await road.recorder.record([_typed(anonymous_id="evil", user_id="thief", email=HERS)])
    [later] = await road.recorder.record([_typed(anonymous_id="evil")])

    assert typed.contact_id == her.contact_id, "it is said under the address, and gives the visitor nothing"
    assert then.contact_id == later.contact_id == thief.contact_id
    assert (await _address(road, her.contact_id), await _address(road, thief.contact_id)) == (HERS, None)


async def test_the_address_of_somebody_known_is_not_changed(sqlite: Database) -> None:
    road = Road(sqlite)
    [known] = await road.recorder.record([did("Identify", user_id="u", email=HERS)])

    [typed] = await road.recorder.record([_typed(user_id="u", email=NEW)])
    assert (typed.contact_id, await _address(road, known.contact_id)) == (known.contact_id, HERS)

    await road.recorder.record([did("Identify", user_id="u", email=NEW)])
    assert await _address(road, known.contact_id) == NEW


async def test_a_user_id_is_not_joined_to_another_by_a_browser(sqlite: Database) -> None:
    road = Road(sqlite)
    [her] = await road.recorder.record([did("Identify", user_id="her")])
    [thief] = await road.recorder.record([_typed(user_id="thief", previous_id="her")])
    assert thief.contact_id != her.contact_id


async def test_a_server_gets_back_an_address_that_somebody_typed_in_first(sqlite: Database) -> None:
    road = Road(sqlite)
    await road.recorder.record([_typed(user_id="squatter", email=HERS)])
    [her] = await road.recorder.record([did("Identify", user_id="her", email=HERS)])
    assert await _address(road, her.contact_id) == HERS
    assert [row.email for row in await road.rows(Contact) if row.id != her.contact_id] == [None]


async def test_what_a_browser_says_counts_from_when_it_came(sqlite: Database) -> None:
    """A device that is somebody's is not taken back in time."""
    from dataclasses import replace
    from datetime import timedelta

    road = Road(sqlite)
    [her] = await road.recorder.record([did("Identify", user_id="her", anonymous_id="v")])
    backdated = _typed(user_id="thief", anonymous_id="v")
    await road.recorder.record([replace(backdated, at=backdated.at - timedelta(days=9))])
    [still] = await road.recorder.record([did("Page Viewed", who="v")])
    assert still.contact_id == her.contact_id


async def test_a_click_in_a_mail_makes_the_device_the_contacts(sqlite: Database) -> None:
    road = Road(sqlite)
    [visit] = await road.recorder.record([did("Page Viewed", who="v")])
    [known] = await road.recorder.record([did("Form Submitted", email=HERS)])
    [click] = await road.recorder.record([did("Email Link Clicked", contact_id=known.contact_id, anonymous_id="v")])
    [later] = await road.recorder.record([did("Page Viewed", who="v")])
    assert click.contact_id == later.contact_id == known.contact_id
    assert {row.merged_into for row in await road.rows(Contact, id=visit.contact_id)} == {known.contact_id}
