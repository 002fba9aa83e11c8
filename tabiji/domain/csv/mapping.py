"""What a file says about its own columns, and the plan that comes of it.

region = "JP"                        # telephone numbers that name no country
lists = ["trade fair"]               # everybody in the file

[columns]
"会員番号" = "user_id"
"入会日" = { to = "joined", kind = "date" }
"社内メモ" = "ignore"

[consent.marketing]
column = "メルマガ"                   # without it: everybody in the file
source = "trade fair 2026, paper form"
wording = "新製品の案内を受け取ります"
at = 2026-10-01
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tabiji.domain.attributes import IDENTITIES, problem_with_name, zones
from tabiji.domain.csv.dates import Notation
from tabiji.domain.csv.headers import KINDS, OURS, attribute_name, is_japanese, meaning_of
from tabiji.domain.csv.values import Kind
from tabiji.errors import Refused

FIELDS = ("email", "user_id", "timezone", "locale", "tags", "lists", "full_name", "full_kana")
IGNORE = "ignore"
ATTRIBUTE = "attributes."
"""Columns of an export: read exactly."""
CONSENT = "consent."
OF_CONSENT = ("source", "wording", "version", "at")
LONGEST_TOPIC = 64
_OWN = {"contact_id", "score", "stage", "created_at"}
"""What an export says and an import does not change."""


class BadMapping(Refused):
    """The mapping does not fit the file, or is none. Says where, and what to do."""

    code = "bad_mapping"


def _instant(value: datetime | date) -> datetime:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001 # it gets its zone below
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _region(value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("is no country of two letters, e.g. JP")
    return value


def _zone(value: str) -> str:
    if value not in zones():
        raise ValueError("is not an IANA time zone, e.g. Asia/Tokyo")
    return value


def _named(value: str) -> str:
    if (problem := problem_with_name(value)) is not None:
        raise ValueError(problem)
    return value


Instant = Annotated[datetime | date, AfterValidator(_instant)]
"""A day counts from its beginning in UTC."""
Named = Annotated[str, AfterValidator(_named)]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Said):
    """Where a column goes, and how it is read."""

    to: str
    kind: Kind | None = None
    date: Notation | None = None


class ConsentRule(_Said):
    """What the people of a file agreed to, and the proof of it."""

    column: str | None = Field(default=None, description="yes or no by person; absent: everybody said yes")
    source: Annotated[str, Field(min_length=1, max_length=200)]
    wording: Annotated[str, Field(max_length=5000)] | None = None
    version: Annotated[str, Field(max_length=40)] | None = None
    at: Instant | None = None
    at_column: str | None = None


class Mapped(_Said):
    """A mapping file."""

    columns: dict[str, str | Column] = Field(default_factory=dict[str, str | Column])
    others: Literal["guess", "ignore"] = "guess"
    region: Annotated[str, AfterValidator(_region)] | None = None
    timezone: Annotated[str, AfterValidator(_zone)] | None = None
    locale: str | None = None
    names: Literal["family_first", "given_first"] | None = None
    date: Notation = "yyyy-mm-dd"
    as_of: Instant | None = Field(default=None, description="how old the file is: what is known since then stays")
    tags: tuple[Named, ...] = ()
    lists: tuple[Named, ...] = ()
    consent: dict[str, ConsentRule] = Field(default_factory=dict[str, ConsentRule])
    strict: bool = False
    encoding: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One column of a file: where it is, what it is called there, and what becomes of it."""

    place: int
    header: str
    to: str
    kind: Kind = "text"
    notation: Notation = "yyyy-mm-dd"


@dataclass(frozen=True)
class Plan:
    """How each row of a file is read."""

    headers: tuple[str, ...]
    targets: tuple[Target, ...]
    mapped: Mapped
    region: str | None
    notes: tuple[str, ...] = ()


def mapped_from(document: Mapping[str, Any]) -> Mapped:
    """A mapping out of a TOML or JSON document.

    Raises:
        BadMapping: Naming each place that is wrong.
    """
    try:
        return Mapped.model_validate(document)
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in problem['loc'] if part not in ('str', 'Column'))}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise BadMapping("the mapping: " + "; ".join(dict.fromkeys(problems))) from None


def plan_of(headers: Sequence[str], mapped: Mapped) -> Plan:
    """Decide about each column of a file.

    Raises:
        BadMapping: A column is named that is not there, two go to one place, or nothing says who somebody is.
    """
    titles = tuple(header.strip().lstrip("\ufeff") for header in headers)
    _refuse_doubles(titles)
    _refuse_what_is_not_there(titles, mapped)
    targets = tuple(target for target in _targets(titles, mapped) if target.to != IGNORE)
    _refuse_two_to_one_place(targets)
    if not any(target.to in ("email", "user_id") for target in targets):
        raise BadMapping(
            f"no column says who somebody is: none of {_listed(titles)} is an e-mail address or a user id. "
            'Say which: [columns] "…" = "email" in a mapping file, given with --map.'
        )
    region = mapped.region or ("JP" if any(is_japanese(title) for title in titles) else None)
    return Plan(titles, targets, mapped, region, tuple(_notes(titles, targets)))


def _targets(titles: Sequence[str], mapped: Mapped) -> Iterator[Target]:
    of_consent = {rule.column: f"{CONSENT}{topic}" for topic, rule in mapped.consent.items() if rule.column}
    of_consent |= {rule.at_column: f"{CONSENT}{topic}.at" for topic, rule in mapped.consent.items() if rule.at_column}
    for place, title in enumerate(titles):
        said = mapped.columns.get(title)
        column = Column(to=said) if isinstance(said, str) else said
        if column is None:
            column = Column(to=of_consent.get(title) or (_guessed(title) if mapped.others == "guess" else IGNORE))
        yield _target(place, title, column, mapped)


def _guessed(title: str) -> str:
    if not title or title.startswith(OURS) or title in _OWN:
        return IGNORE
    if title.startswith((ATTRIBUTE, CONSENT)):
        return title
    return meaning_of(title) or attribute_name(title)


def _target(place: int, title: str, column: Column, mapped: Mapped) -> Target:
    to, kind = column.to.strip(), column.kind
    if to.startswith(ATTRIBUTE):
        to, kind = to.removeprefix(ATTRIBUTE), kind or ("exact" if title.startswith(ATTRIBUTE) else None)
    elif to not in FIELDS and to != IGNORE and not to.startswith(CONSENT) and to in IDENTITIES:
        raise BadMapping(f'column {title!r}: {to!r} cannot be imported; say "email", "user_id" or "ignore".')
    if to.startswith(CONSENT):
        _check_topic(title, to)
    elif to not in FIELDS and (problem := problem_with_name(to)) is not None:
        raise BadMapping(f"column {title[:100]!r}: its name {problem}. Give it another: [columns] in a mapping file.")
    read_as: Any = kind or KINDS.get(to, "text")
    return Target(place, title, to, read_as, column.date or mapped.date)


def _check_topic(title: str, to: str) -> None:
    topic = topic_of(to)[0]
    if not topic.strip() or len(topic) > LONGEST_TOPIC:
        raise BadMapping(f"column {title!r}: a consent's topic has 1 to {LONGEST_TOPIC} characters.")


def topic_of(to: str) -> tuple[str, str]:
    """Topic and part of `consent.TOPIC` (part: given) or `consent.TOPIC.source`."""
    rest = to.removeprefix(CONSENT)
    topic, dot, part = rest.rpartition(".")
    return (topic, part) if dot and part in OF_CONSENT else (rest, "given")


def _refuse_doubles(titles: Sequence[str]) -> None:
    doubles = [title for title, count in Counter(titles).items() if count > 1 and title]
    if doubles:
        raise BadMapping(f"the header names {_listed(doubles)} more than once. Rename one of them in the file.")


def _refuse_what_is_not_there(titles: Sequence[str], mapped: Mapped) -> None:
    named = [*mapped.columns]
    named += [column for rule in mapped.consent.values() for column in (rule.column, rule.at_column) if column]
    if missing := [name for name in named if name not in titles]:
        raise BadMapping(f"the mapping names {_listed(missing)}, which is no column of the file: {_listed(titles)}.")


def _refuse_two_to_one_place(targets: Sequence[Target]) -> None:
    places: dict[str, list[str]] = {}
    for target in targets:
        if target.to not in ("tags", "lists"):
            places.setdefault(target.to, []).append(target.header)
    for to, several in places.items():
        if len(several) > 1:
            raise BadMapping(
                f"columns {_listed(several)} would both become {to!r}. Say in a mapping file which is what: "
                f'[columns] "{several[1]}" = "another_name" or "ignore".'
            )


def _notes(titles: Sequence[str], targets: Sequence[Target]) -> Iterator[str]:
    read = {target.place for target in targets}
    if ignored := [title for place, title in enumerate(titles) if place not in read and title]:
        yield f"left out: {_listed(ignored)}"
    for target in targets:
        title = target.header.casefold()
        looks = any(
            word in title for word in ("メルマガ", "同意", "opt-in", "optin", "newsletter", "consent", "subscribed")
        )
        if looks and not target.to.startswith(CONSENT):
            yield (
                f"{target.header!r} looks like consent and is kept as a plain attribute, which lets nobody be mailed; "
                "a [consent.TOPIC] with its source in the mapping makes it one"
            )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")
