"""What events say about the people they are of, written to the contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from models.change import Change
from tabiji.domain.attributes import PROFILE, problem_with_all, told
from tabiji.domain.facts import Fact
from tabiji.errors import InvalidEvent


def changes_to(attributes: Mapping[str, JsonValue], traits: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Of these traits, the ones that say something new."""
    return {
        name: value for name, value in traits.items() if name not in attributes or not same(attributes[name], value)
    }


def same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are the same in JSON, where a yes is no number."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


async def learn(change: Change, traits: Mapping[str, JsonValue], **columns: Any) -> None:
    """Write traits into attributes and columns of the contact, and tell of each that is another than before.

    Raises:
        InvalidEvent: The contact would have more attributes than one may have.
    """
    known: dict[str, JsonValue] = {
        **change.contact.attributes,
        **{name: getattr(change.contact, name) for name in PROFILE},
    }
    new = changes_to(known, {name: value for name, value in traits.items() if _is_trait(name, value)})
    attributes = {name: value for name, value in new.items() if name not in PROFILE}
    if attributes:
        columns["attributes"] = {**change.contact.attributes, **attributes}
        if (problem := problem_with_all(columns["attributes"])) is not None:
            raise InvalidEvent("traits", problem)
    columns |= {name: value for name, value in new.items() if name in PROFILE}
    if columns:
        await change.write(**columns)
    for name, value in new.items():
        tell_attribute(change, name, known.get(name), value)


def tell_attribute(change: Change, name: str, before: JsonValue, after: JsonValue) -> None:
    """Tell that an attribute has changed."""
    change.tell(Fact.ATTRIBUTE_CHANGED, {"name": name, **told(before, after)}, about=name)


def _is_trait(name: str, value: JsonValue) -> bool:
    # An address is an identity first, and who may be written to is decided elsewhere.
    return name != "email" and (name not in PROFILE or isinstance(value, str))
