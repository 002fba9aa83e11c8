"""Whom a journey takes in before it is live, and what stops a pilot: pure values.

Pilot(people=("ken@example.com", "0190…"))    these and nobody else
Pilot(number=10)                              the first ten who come
Pilot(share=0.05)                             one in twenty, always the same ones

Limit.parse("3")         at the third
Limit.parse("5%")        when five in a hundred of those who entered have, once twenty have entered
Limit.parse("5%@100")    the same, once a hundred have
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_LIMIT = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<share>%(?:@(?P<after>\d+))?)?")


class Launch(StrEnum):
    """Whether a journey takes people."""

    DRAFT = "draft"
    """Nobody enters but test contacts."""
    PILOT = "pilot"
    """A few enter; limits stop it."""
    LIVE = "live"
    """Whoever its triggers name."""
    CLOSING = "closing"
    """Nobody enters; who is inside goes to the end."""


class Fact(StrEnum):
    """What a pilot's limits are about."""

    COMPLAINTS = "complaints"
    UNSUBSCRIBES = "unsubscribes"
    ERRORS = "errors"


class Limit(BaseModel):
    """So many, or such a share of those who entered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: Annotated[int, Field(ge=1)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    after: Annotated[int, Field(ge=1, description="a share says nothing before so many have entered")] = 20

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.count is None) == (self.share is None):
            raise ValueError("a limit is a count or a share: give one of them")
        return self

    @classmethod
    def parse(cls, words: str) -> Limit:
        """Read `3`, `5%` or `5%@100`.

        Raises:
            ValueError: It is none of these.
        """
        found = _LIMIT.fullmatch(words.strip())
        if found is None or (not found["share"] and "." in found["number"]):
            raise ValueError(f"{words!r} is no limit. Say a count, e.g. 3, or a share, e.g. 5% or 5%@100.")
        if not found["share"]:
            return cls(count=int(found["number"]))
        share = float(found["number"]) / 100
        return cls(share=share) if found["after"] is None else cls(share=share, after=int(found["after"]))

    def reached(self, seen: int, entered: int) -> bool:
        """Whether it is so far."""
        if self.count is not None:
            return seen >= self.count
        return seen > 0 and entered >= self.after and seen >= (self.share or 1) * entered

    def __str__(self) -> str:
        return str(self.count) if self.count is not None else f"{(self.share or 0) * 100:g} % of {self.after} or more"


CAUTIOUS = {Fact.COMPLAINTS: Limit(count=1), Fact.UNSUBSCRIBES: Limit(count=3), Fact.ERRORS: Limit(count=1)}
"""What stops a pilot unless something else is said."""


class Pilot(BaseModel):
    """Whom a pilot takes, and what stops it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: Annotated[tuple[str, ...], Field(max_length=1000, description="addresses or contact ids")] = ()
    number: Annotated[int, Field(ge=1)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    stop_on: dict[Fact, Limit] = CAUTIOUS

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if bool(self.people) + (self.number is not None) + (self.share is not None) != 1:
            raise ValueError("a pilot takes named people, a number of people or a share of them: say one of the three")
        return self

    def names(self, contact: str, email: str | None) -> bool:
        """Whether somebody is among the people named."""
        named = {person.strip().lower() for person in self.people}
        return contact.lower() in named or (email is not None and email.lower() in named)

    def includes(self, journey: str, contact: str) -> bool:
        """Whether somebody is in the share. The same person always is, or never."""
        return self.share is not None and drawn(journey, contact) < self.share

    def broken(self, counts: dict[Fact, int], entered: int) -> str | None:
        """Why it must stop, in words; None: go on."""
        for fact, limit in self.stop_on.items():
            if limit.reached(counts.get(fact, 0), entered):
                return f"{counts[fact]} {fact.value} among {entered} who entered; the limit was {limit}"
        return None

    def __str__(self) -> str:
        if self.people:
            return f"{len(self.people)} named people"
        return f"the first {self.number}" if self.number is not None else f"{(self.share or 0) * 100:g} %"


def drawn(journey: str, contact: str) -> float:
    """A number of 0 to 1 that is a contact's own in a journey: even over contacts, unrelated between journeys."""
    digest = hashlib.sha256(f"{journey}\n{contact}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
