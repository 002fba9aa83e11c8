"""People to render mails for. Each is awkward in one way that real people are.

`templates/people.toml` adds what a project knows of everybody, and people of its own:

    [everybody]              # attributes no contact of yours lacks
    plan = "Team"
    [people.keiko]
    locale = "ja"
    first_name = "恵子"
    tags = ["vip"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from tabiji.channels.email.facts import Facts, contact_facts
from tabiji.errors import ConfigurationError

FILE = "people.toml"
_OWN = frozenset({"email", "locale", "timezone", "tags", "lists"})


@dataclass(frozen=True)
class Person:
    """Somebody a template is rendered for."""

    name: str
    about: str
    """What is awkward about them."""
    attributes: Mapping[str, object] = field(default_factory=dict[str, object])
    email: str = "somebody@example.com"
    locale: str | None = None
    timezone: str | None = None
    tags: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    segments: frozenset[str] = frozenset()

    @property
    def facts(self) -> Facts:
        """As templates read them."""
        return contact_facts(
            self.attributes,
            id="00000000-0000-0000-0000-000000000000",
            email=self.email,
            locale=self.locale,
            timezone=self.timezone,
            tags=self.tags,
            lists=self.lists,
        )


def _named(first: str, last: str, company: str) -> dict[str, object]:
    return {"first_name": first, "last_name": last, "name": f"{first} {last}", "company": company}


PEOPLE = (
    Person("nobody", "no name, no locale, no time zone"),
    Person("ann", "English", _named("Ann", "Miller", "Miller Ltd"), "ann@example.com", "en-GB", "Europe/London"),
    Person("hanako", "Japanese", _named("花子", "山田", "旅路株式会社"), "hanako@example.jp", "ja-JP", "Asia/Tokyo"),
    Person("layla", "Arabic, from right to left", _named("ليلى", "حسن", "شركة"), "layla@example.com", "ar-EG"),
    Person("noam", "Hebrew, from right to left", _named("נועם", "כהן", "חברה"), "noam@example.com", "he"),
    Person(
        "wolfe",
        "very long, without a space to break at",
        _named("Wolfeschlegelsteinhausenbergerdorff" * 2, "Llanfairpwllgwyngyllgogerychwyrndrobwll", "A" * 90),
        f"{'w' * 60}@{'long' * 12}.example.com",
        "de-DE",
    ),
    Person(
        "sparkle", "emoji, joined ones too", _named("\U0001f469\U0001f3fd\u200d\U0001f680", "🎉", "🚀"), locale="en"
    ),
    Person(
        "bobby",
        "a name that looks like HTML and like a template",
        _named('<b>Bobby</b> & "Tables" {{ x }}', "<script>alert(1)</script>", "A&B <Ltd>"),
        locale="en",
    ),
    Person("zoe", "spaces and a line break around the name", _named("  Zoë\n", "\u3000", ""), locale="fr"),
    Person(
        "lost", "a locale and a time zone that are none", _named("X", "Y", "Z"), locale="xx_no!", timezone="Moon/Sea"
    ),
)


def people_of(
    templates: Path,
    *,
    languages: Iterable[str] = (),
    tags: Iterable[str] = (),
    lists: Iterable[str] = (),
    segments: Iterable[str] = (),
) -> list[Person]:
    """Whom a template is rendered for: the awkward ones, the project's own, and who sees what others do not.

    Args:
        templates: The project's folder of them.
        languages: It has words of its own for these.
        tags: It asks for these tags,
        lists: these lists,
        segments: these segments.

    Raises:
        ConfigurationError: `people.toml` cannot be read.
    """
    everybody, own = _read(templates / FILE)
    found = [replace(person, attributes={**everybody, **person.attributes}) for person in (*PEOPLE, *own)]
    spoken = {(person.locale or "").partition("-")[0] for person in found}
    ann = found[1]
    found += [
        replace(ann, name=f"speaks {language}", about="a language the template has words for", locale=language)
        for language in sorted(set(languages) - spoken)
    ]
    asked = replace(ann, tags=tuple(sorted(tags)), lists=tuple(sorted(lists)), segments=frozenset(segments))
    if asked != ann:
        about = "has every tag and is on every list and in every segment the template asks for"
        found.append(replace(asked, name="member", about=about))
    return found


def _read(file: Path) -> tuple[dict[str, object], list[Person]]:
    try:
        said: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        everybody = _table(said.get("everybody", {}))
        return everybody, [_person(name, _table(one)) for name, one in _table(said.get("people", {})).items()]
    except FileNotFoundError:
        return {}, []
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise ConfigurationError(f"{file}: {error}. See docs/templates.md.") from None


def _person(name: str, said: dict[str, object]) -> Person:
    own: dict[str, Any] = {key: value for key, value in said.items() if key in _OWN}
    for listed in ("tags", "lists"):
        own[listed] = tuple(cast("list[str]", own.get(listed, ())))
    return Person(name, "of people.toml", {key: value for key, value in said.items() if key not in _OWN}, **own)


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("[everybody] and [people.NAME] are tables of attributes")
    return cast("dict[str, object]", value)
