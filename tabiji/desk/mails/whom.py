"""Whom a mail is looked at as: somebody invented, or a contact found by their address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tabiji.desk.look import Api
from tabiji.desk.mails.people import Person
from tabiji.errors import Refused
from tabiji.settings import Settings


def somebody(settings: Settings, people: Sequence[Person], said: str) -> Person:
    """The person of a name; with an @ in it, the contact of that address, asked of the API.

    Raises:
        Refused: There is none.
        Unavailable: The API does not answer.
    """
    if "@" in said:
        return _contact(settings, said)
    found = next((person for person in people if person.name == said), None)
    if found is None:
        names = ", ".join(person.name for person in people)
        raise Refused(f"there is no person {said!r}. There are {names}; or say a contact's address.")
    return found


def _contact(settings: Settings, email: str) -> Person:
    with Api(settings) as asked:
        shown: dict[str, Any] | None = asked.get("/v1/contacts", email=email, limit="1")
    if shown is None:
        raise Refused("no contact has this address.")
    return Person(
        name=email,
        about="a contact",
        attributes=shown["attributes"],
        email=shown["email"] or email,
        locale=shown["locale"],
        timezone=shown["timezone"],
        tags=tuple(shown["tags"]),
        lists=tuple(shown["lists"]),
    )
