"""What templates may read: about a person, and from the house."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Fixed(str):
    """A value that is the same for very many people. Every text may be one; it saves time, and changes nothing."""

    __slots__ = ()


class Sample(str):
    """Stands for a value nobody knows yet, of whatever kind a template takes it for."""

    __slots__ = ()


class Facts(Mapping[str, object]):
    """What a template may read under one name: ``contact.first_name``.

    A value that is None or blank counts as not there, so that ``default("there")`` serves it too.
    """

    __slots__ = ("_facts", "_name")

    def __init__(self, name: str, facts: Mapping[str, object]) -> None:
        self._name = name
        self._facts = {
            key: value
            for key, value in facts.items()
            if value is not None and not (isinstance(value, str) and not value.strip())
        }

    def __getitem__(self, key: str) -> object:
        return self._facts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __str__(self) -> str:
        return self._name


def contact_facts(
    attributes: Mapping[str, object],
    *,
    id: str,
    email: str | None,
    locale: str | None = None,
    timezone: str | None = None,
    tags: Iterable[str] = (),
    lists: Iterable[str] = (),
) -> Facts:
    """A contact as templates read it: its attributes by their own names, and what every contact has.

    Web apps send firstName as often as first_name: a template need not care.
    """
    plain = {_HUMP.sub("_", key).lower(): value for key, value in attributes.items()}
    return Facts(
        "contact",
        {
            **plain,
            **attributes,
            "id": id,
            "email": email,
            "locale": locale,
            "timezone": timezone,
            "tags": list(tags),
            "lists": list(lists),
            "attributes": {key: value for key, value in attributes.items() if value is not None},
        },
    )
