"""One row of a file → a person, and what is wrong with them in words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import JsonValue

from tabiji.domain.attributes import LARGEST, MOST, problem_with_all
from tabiji.domain.csv import values
from tabiji.domain.csv.headers import is_japanese
from tabiji.domain.csv.mapping import CONSENT, OF_CONSENT, Plan, Target, topic_of
from tabiji.domain.csv.rows import Row
from tabiji.domain.csv.values import Unclean
from tabiji.domain.csv.write import as_meant
from tabiji.domain.topics import EVERYTHING, LONGEST_VERSION

LONGEST_TEXT = 8_000
"""Characters of one attribute."""
LONGEST_PROOF = {"source": 200, "wording": 5000, "version": LONGEST_VERSION}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and why. With a `fatal` one nobody is imported from that line."""

    line: int
    field: str
    reason: str
    fatal: bool = False

    def __str__(self) -> str:
        """For people."""
        return f"{self.field}: {self.reason}" if self.field else self.reason


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody said to a topic, with its proof. `at`: None where nobody knows when."""

    topic: str
    given: bool
    source: str
    wording: str | None = None
    at: datetime | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class PersonRead:
    """A person as one line has them."""

    line: int
    email: str | None = None
    user_id: str | None = None
    attributes: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    timezone: str | None = None
    locale: str | None = None
    tags: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def traits(self) -> dict[str, JsonValue]:
        """Attributes with time zone and language, as `identify` would say them."""
        own = {"timezone": self.timezone, "locale": self.locale}
        return {**self.attributes, **{name: value for name, value in own.items() if value is not None}}


@dataclass(slots=True)
class _Reading:
    """What is known of one row so far."""

    line: int
    values: dict[str, str] = field(default_factory=dict[str, str])
    attributes: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    tags: list[str] = field(default_factory=list[str])
    lists: list[str] = field(default_factory=list[str])
    said: dict[str, bool] = field(default_factory=dict[str, bool])
    proof: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    when: dict[str, datetime] = field(default_factory=dict[str, datetime])
    problems: list[Problem] = field(default_factory=list[Problem])


def read_person(row: Row, plan: Plan) -> tuple[PersonRead | None, list[Problem]]:
    """Clean one row.

    Returns:
        The person, None where nobody can be made of it, and every problem met. Where the mapping is strict, any
        problem is a reason to leave the line out; else only what a problem is with stays out.
    """
    if row.problem is not None:
        return None, [Problem(row.line, "", row.problem, fatal=True)]
    if len(row.cells) > len(plan.headers) and any(cell.strip() for cell in row.cells[len(plan.headers) :]):
        words = (
            f"the line has {len(row.cells)} cells, the header {len(plan.headers)}; a cell with a delimiter is quoted"
        )
        return None, [Problem(row.line, "", words, fatal=True)]
    reading = _Reading(row.line, tags=[*plan.mapped.tags], lists=[*plan.mapped.lists])
    for target in plan.targets:
        cell = as_meant(row.cells[target.place]) if target.place < len(row.cells) else ""
        if cell.strip():
            _take(reading, target, cell, plan)
    return _person(reading, plan)


def _take(reading: _Reading, target: Target, cell: str, plan: Plan) -> None:
    try:
        _read(reading, target, cell, plan)
    except Unclean as error:
        # Who somebody is must be right: a person with the wrong address is another person.
        fatal = target.to in ("email", "user_id")
        reading.problems.append(Problem(reading.line, target.header, str(error), fatal=fatal))


def _read(reading: _Reading, target: Target, cell: str, plan: Plan) -> None:
    match target.to:
        case "email":
            reading.values["email"] = values.email(cell)
        case "user_id":
            reading.values["user_id"] = values.identifier(cell)
        case "timezone":
            reading.values["timezone"] = values.zone(cell)
        case "locale":
            reading.values["locale"] = values.locale(cell)
        case "tags":
            reading.tags += values.names(cell)
        case "lists":
            reading.lists += values.names(cell)
        case "full_name":
            _full_name(reading, values.text(cell), plan)
        case "full_kana":
            _full_kana(reading, values.kana(cell))
        case consent if consent.startswith(CONSENT):
            _consent(reading, target, cell)
        case attribute:
            reading.attributes[attribute] = _attribute(target, cell, plan)


def _attribute(target: Target, cell: str, plan: Plan) -> JsonValue:
    value: JsonValue
    match target.kind:
        case "exact":
            return values.exact(cell)
        case "number":
            return values.number(cell)
        case "yes/no":
            return values.yes(cell)
        case "date":
            return values.day(cell, target.notation)
        case "phone":
            return values.phone(cell, plan.region)
        case "kana":
            value = values.kana(cell)
        case "text":
            value = values.text(cell)
    if len(value) > LONGEST_TEXT:
        raise Unclean(f"has {len(value)} characters; an attribute may have at most {LONGEST_TEXT}")
    return value


def _full_name(reading: _Reading, name: str, plan: Plan) -> None:
    reading.attributes["name"] = name
    first, blank, rest = name.partition(" ")
    if not blank:
        return
    family_first = plan.mapped.names == "family_first" or (plan.mapped.names is None and is_japanese(name))
    if family_first:
        family, given = first, rest
    else:
        given, _, family = name.rpartition(" ")
    reading.attributes.setdefault("last_name", family)
    reading.attributes.setdefault("first_name", given)


def _full_kana(reading: _Reading, name: str) -> None:
    family, blank, given = name.partition(" ")
    reading.attributes["kana"] = name
    if blank:
        reading.attributes.setdefault("last_name_kana", family)
        reading.attributes.setdefault("first_name_kana", given)


def _consent(reading: _Reading, target: Target, cell: str) -> None:
    topic, part = topic_of(target.to)
    if part == "given":
        reading.said[topic] = values.yes(cell)
    elif part == "at":
        reading.when[topic] = values.moment(cell, target.notation)
    else:
        longest = LONGEST_PROOF[part]
        proof = cell.strip() if part == "wording" else values.text(cell)
        if len(proof) > longest or "\x00" in proof:
            raise Unclean(f"may have at most {longest} characters, and no NUL")
        reading.proof[topic, part] = proof


def _person(reading: _Reading, plan: Plan) -> tuple[PersonRead | None, list[Problem]]:
    problems = reading.problems
    found = reading.values
    if not any(problem.fatal for problem in problems) and not (found.get("email") or found.get("user_id")):
        who = [target.header for target in plan.targets if target.to in ("email", "user_id")]
        reason = f"{' and '.join(who)} {'is' if len(who) == 1 else 'are'} empty: nothing says who this is"
        problems.append(Problem(reading.line, "", reason, fatal=True))
    if _may_be_too_much(reading.attributes) and (too_much := problem_with_all(reading.attributes)) is not None:
        problems.append(Problem(reading.line, "", too_much, fatal=True))
    decisions = tuple(_decisions(reading, plan))
    if plan.mapped.strict:
        problems = [replace(problem, fatal=True) for problem in problems]
    if any(problem.fatal for problem in problems):
        return None, problems
    return PersonRead(
        line=reading.line,
        email=found.get("email"),
        user_id=found.get("user_id"),
        attributes=reading.attributes,
        timezone=found.get("timezone") or plan.mapped.timezone,
        locale=found.get("locale") or plan.mapped.locale,
        tags=tuple(dict.fromkeys(reading.tags)),
        lists=tuple(dict.fromkeys(reading.lists)),
        decisions=decisions,
    ), problems


def _may_be_too_much(attributes: dict[str, JsonValue]) -> bool:
    """To write all of them as JSON to know takes as long as to read the row. A character comes to six at most."""
    length = sum(len(name) + (len(value) if isinstance(value, str) else 100) for name, value in attributes.items())
    exact = any(isinstance(value, list | dict) for value in attributes.values())
    return exact or len(attributes) > MOST or length * 6 > LARGEST


def _decisions(reading: _Reading, plan: Plan) -> list[Decision]:
    decisions: list[Decision] = []
    for topic in dict.fromkeys([*plan.mapped.consent, *reading.said]):
        rule = plan.mapped.consent.get(topic)
        given = reading.said.get(topic, True if rule is not None and rule.column is None else None)
        if given is None:
            continue
        source = reading.proof.get((topic, "source")) or (rule.source if rule else None)
        if source is None:
            where = f"{CONSENT}{topic}"
            reason = f"a consent needs its source as proof: a column {where}.source, or [{where}] in the mapping"
            reading.problems.append(Problem(reading.line, where, reason))
            continue
        if given and topic == EVERYTHING:
            reason = "nobody can agree to everything: name the topic, and say no here alone"
            reading.problems.append(Problem(reading.line, f"{CONSENT}{topic}", reason))
            continue
        wording = reading.proof.get((topic, "wording")) or (rule.wording if rule else None)
        version = reading.proof.get((topic, "version")) or (rule.version if rule else None)
        at = reading.when.get(topic) or (rule.at if rule else None)
        moment = at if isinstance(at, datetime) else None
        decisions.append(Decision(topic, given, source, wording, moment, version))
    return decisions


PARTS_OF_CONSENT = ("", *(f".{part}" for part in OF_CONSENT))
"""Columns an export has for each topic."""
