"""How invented people behave: chances, as data. A file says what it knows; the rest is a coin.

people = 200
seed = 7
waits = 0.3                      # of each wait the file says nothing about: the chance that it is answered
entry = { seats = 3 }            # what the event has that lets them in, where its tests do not say

[events."Page Viewed"]
chance = 0.4                     # of each person, once
within = "7 days"                # after entering; any moment of it is as likely
properties = { path = "/pricing" }

[mails."*"]                      # or one template; of each mail that goes out
opened = 0.5
clicked = 0.2
link = "https://www.example.com/pricing"
unsubscribed = 0.01
within = "2 days"

[[persons]]                      # kinds of people, drawn by weight
weight = 2
timezone = "Asia/Tokyo"
tags = ["customer"]
attributes = { plan = "pro" }
"""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from tabiji.domain.durations import parse_duration
from tabiji.errors import ConfigurationError

MOST_PEOPLE = 10_000

Chance = Annotated[float, Field(ge=0, le=1)]


def _span(value: object) -> object:
    return parse_duration(value) or value if isinstance(value, str) else value


Span = Annotated[timedelta, BeforeValidator(_span), Field(gt=timedelta(0))]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Act(_Data):
    """Something a person may do once, at any moment of a time after entering."""

    chance: Chance
    within: Span = timedelta(days=7)
    properties: dict[str, JsonValue] = {}


class Reading(_Data):
    """What a person may do with a mail. A click is an open, too."""

    opened: Chance = 0.0
    clicked: Chance = 0.0
    replied: Chance = 0.0
    unsubscribed: Chance = 0.0
    link: str = "https://example.com/"
    within: Span = timedelta(days=2)


class Kind(_Data):
    """A kind of people."""

    weight: Annotated[float, Field(gt=0)] = 1.0
    timezone: str | None = None
    locale: str | None = None
    score: int = 0
    stage: str | None = None
    tags: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    attributes: dict[str, JsonValue] = {}


class Behaviour(_Data):
    """All of it."""

    people: Annotated[int, Field(ge=1, le=MOST_PEOPLE)] = 100
    seed: int = 1
    waits: Chance = 0.5
    entry: dict[str, JsonValue] = {}
    events: dict[str, Act] = {}
    mails: dict[str, Reading] = {}
    persons: tuple[Kind, ...] = (Kind(),)

    def reading(self, template: str) -> Reading | None:
        """What people do with mails of a template."""
        return self.mails.get(template, self.mails.get("*"))


def read_behaviour(file: Path) -> Behaviour:
    """From a TOML file.

    Raises:
        ConfigurationError: It cannot be read; names the field and what is wrong with it.
    """
    try:
        return Behaviour.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{file}: {field}: {first['msg'].lower()}") from None
