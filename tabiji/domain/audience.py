"""Who is meant, as data: a filter over contacts. A schedule enters them, a launch counts them.

    everyone                                every contact
    tagged("vip")                           has the tag
    in_list("newsletter")                   is on the list
    in_stage("customer")                    is in this stage of life
    attr("plan") == "pro"                   every comparison that `prop` knows, over attributes
    consented("newsletter")                 said yes to this topic, and has not taken it back
    scored(50)                              has at least so many points; scored(below=10)
    tagged("vip") & ~consented("sms")       and, or, not: & | ~

The pure answer is `includes`. The database's is `models.audience`: it finds all of them, and this has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, NoReturn, TypeAlias, cast

from pydantic import Field, JsonValue, model_validator

from tabiji.domain.tests import Data, Prop, Test
from tabiji.domain.values import Ordered, Plain

MAX_PARTS = 50


class Person(NamedTuple):
    """What an audience looks at. `attributes` have the time zone and the locale among them."""

    attributes: Mapping[str, JsonValue] = {}
    tags: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    stage: str | None = None
    consents: frozenset[str] = frozenset()
    score: int = 0


class _Filter(Data):
    def includes(self, person: Person) -> bool:
        """Whether this person is meant. Never raises."""
        raise NotImplementedError

    def __and__(self, other: Audience) -> Both:
        return Both(of=(*_parts(self, Both), *_parts(other, Both)))

    def __or__(self, other: Audience) -> Either:
        return Either(of=(*_parts(self, Either), *_parts(other, Either)))

    def __invert__(self) -> Without:
        return Without(of=cast("Audience", self))


class Everyone(_Filter):
    """Every contact."""

    op: Literal["everyone"] = "everyone"

    def includes(self, person: Person) -> bool:
        """See base class."""
        return True

    def __str__(self) -> str:
        return "everyone"


class Tagged(_Filter):
    """Has a tag."""

    op: Literal["tagged"] = "tagged"
    tag: Annotated[str, Field(min_length=1, max_length=100)]

    def includes(self, person: Person) -> bool:
        """See base class."""
        return self.tag in person.tags

    def __str__(self) -> str:
        return f"tagged {self.tag}"


class Listed(_Filter):
    """Is on a list."""

    op: Literal["listed"] = "listed"
    list: Annotated[str, Field(min_length=1, max_length=100)]

    def includes(self, person: Person) -> bool:
        """See base class."""
        return self.list in person.lists

    def __str__(self) -> str:
        return f"on list {self.list}"


class Staged(_Filter):
    """Is in a stage of life now."""

    op: Literal["staged"] = "staged"
    stage: Annotated[str, Field(min_length=1, max_length=100)]

    def includes(self, person: Person) -> bool:
        """See base class."""
        return person.stage == self.stage

    def __str__(self) -> str:
        return f"in stage {self.stage}"


class Attribute(_Filter):
    """An attribute passes a test."""

    op: Literal["attribute"] = "attribute"
    test: Test

    def includes(self, person: Person) -> bool:
        """See base class."""
        return self.test.holds(person.attributes)

    def __str__(self) -> str:
        return str(self.test)


class Consented(_Filter):
    """The latest word about a topic was yes."""

    op: Literal["consented"] = "consented"
    topic: Annotated[str, Field(min_length=1, max_length=64)]

    def includes(self, person: Person) -> bool:
        """See base class."""
        return self.topic in person.consents

    def __str__(self) -> str:
        return f"consented to {self.topic}"


class Scored(_Filter):
    """Has at least so many points, or fewer than so many, or both."""

    op: Literal["scored"] = "scored"
    at_least: int | None = None
    below: int | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Scored:
        if self.at_least is None and self.below is None:
            raise ValueError("scored() takes a number of points: scored(50), scored(below=10)")
        return self

    def includes(self, person: Person) -> bool:
        """See base class."""
        return (self.at_least is None or person.score >= self.at_least) and (
            self.below is None or person.score < self.below
        )

    def __str__(self) -> str:
        bounds = ("score >= ", self.at_least), ("score < ", self.below)
        return " and ".join(f"{sign}{points}" for sign, points in bounds if points is not None)


class Both(_Filter):
    """All of these include the person."""

    op: Literal["and"] = "and"
    of: Annotated[tuple[Audience, ...], Field(min_length=1, max_length=MAX_PARTS)]

    def includes(self, person: Person) -> bool:
        """See base class."""
        return all(part.includes(person) for part in self.of)

    def __str__(self) -> str:
        return " and ".join(f"({part})" if isinstance(part, Either) else str(part) for part in self.of)


class Either(_Filter):
    """At least one of these includes the person."""

    op: Literal["or"] = "or"
    of: Annotated[tuple[Audience, ...], Field(min_length=1, max_length=MAX_PARTS)]

    def includes(self, person: Person) -> bool:
        """See base class."""
        return any(part.includes(person) for part in self.of)

    def __str__(self) -> str:
        return " or ".join(f"({part})" if isinstance(part, Both) else str(part) for part in self.of)


class Without(_Filter):
    """This does not include the person."""

    op: Literal["not"] = "not"
    of: Audience

    def includes(self, person: Person) -> bool:
        """See base class."""
        return not self.of.includes(person)

    def __str__(self) -> str:
        return f"not ({self.of})"


Audience: TypeAlias = Annotated[
    Everyone | Tagged | Listed | Staged | Attribute | Consented | Scored | Both | Either | Without,
    Field(discriminator="op"),
]
"""Any of them. As JSON it is told apart by `op`."""

for _recursive in (Both, Either, Without):
    _recursive.model_rebuild()

everyone = Everyone()


def tagged(tag: str) -> Tagged:
    """Who has this tag."""
    return Tagged(tag=tag)


def in_list(name: str) -> Listed:
    """Who is on this list."""
    return Listed(list=name)


def in_stage(stage: str) -> Staged:
    """Who is in this stage of life."""
    return Staged(stage=stage)


def consented(topic: str) -> Consented:
    """Who has said yes to this topic and not taken it back."""
    return Consented(topic=topic)


def scored(at_least: int | None = None, *, below: int | None = None) -> Scored:
    """Who has at least so many points, or fewer than so many."""
    return Scored(at_least=at_least, below=below)


class Attr:
    """An attribute, to be compared. Made by `attr`."""

    __slots__ = ("_prop",)
    __hash__ = None  # type: ignore[assignment] # == makes a filter here

    def __init__(self, path: str) -> None:
        self._prop = Prop(path)

    def __eq__(self, other: Plain) -> Attribute:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # a filter, not an answer
        return Attribute(test=self._prop == other)

    def __ne__(self, other: Plain) -> Attribute:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # a filter, not an answer
        return Attribute(test=self._prop != other)

    def __gt__(self, other: Ordered) -> Attribute:
        return Attribute(test=self._prop > other)

    def __ge__(self, other: Ordered) -> Attribute:
        return Attribute(test=self._prop >= other)

    def __lt__(self, other: Ordered) -> Attribute:
        return Attribute(test=self._prop < other)

    def __le__(self, other: Ordered) -> Attribute:
        return Attribute(test=self._prop <= other)

    def one_of(self, *values: Plain) -> Attribute:
        """Equals one of these."""
        return Attribute(test=self._prop.one_of(*values))

    def contains(self, value: Plain) -> Attribute:
        """A text has this part, or a list has this element."""
        return Attribute(test=self._prop.contains(value))

    def starts_with(self, value: str) -> Attribute:
        """A text begins so."""
        return Attribute(test=self._prop.starts_with(value))

    def ends_with(self, value: str) -> Attribute:
        """A text ends so."""
        return Attribute(test=self._prop.ends_with(value))

    def exists(self) -> Attribute:
        """Is there, and is not null."""
        return Attribute(test=self._prop.exists())

    def matches(self, pattern: str) -> Attribute:
        """A regular expression is found in it, see `prop`."""
        return Attribute(test=self._prop.matches(pattern))

    def __bool__(self) -> NoReturn:
        raise TypeError(f"attr({self._prop.path!r}) is not true or false by itself. Say attr(…).exists().")


def attr(path: str) -> Attr:
    """Name an attribute to compare: ``attr("plan") == "pro"``, ``attr("orders") >= 3``."""
    if not path:
        raise ValueError("attr() takes the name of an attribute, e.g. attr('plan')")
    return Attr(path)


def _parts(one: _Filter | Audience, kind: type[Both] | type[Either]) -> tuple[Audience, ...]:
    return one.of if isinstance(one, kind) else (cast("Audience", one),)
