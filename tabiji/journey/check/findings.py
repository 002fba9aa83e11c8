"""What `tabiji check` finds, and what it looks at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tabiji.domain.event_catalog import EventCatalog
from tabiji.domain.forms import FormCatalog
from tabiji.domain.topics import Topics
from tabiji.journey.map import Reading
from tabiji.journey.map.source import shown
from tabiji.journey.places import Function


class Severity(StrEnum):
    """Whether a finding fails the check."""

    ERROR = "error"
    WARNING = "warning"


class Finding(BaseModel):
    """One thing that is wrong, where, and what to do."""

    model_config = ConfigDict(frozen=True)

    code: str
    severity: Severity
    file: str
    line: Annotated[int, Field(ge=0)]
    message: str
    remedy: str
    journey: str | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity.value} {self.code}: {self.message} {self.remedy}"


@dataclass(frozen=True)
class Limits:
    """What is too much. `mails` may go to one person within `per`."""

    mails: int = 3
    per: timedelta = timedelta(days=1)


@dataclass
class Module:
    """One source file with journeys or helpers in it."""

    file: str
    tree: ast.Module

    def found(
        self, code: str, node: ast.AST, message: str, remedy: str, *, severity: Severity = Severity.ERROR
    ) -> Finding:
        """Something wrong at a place in this file."""
        line = getattr(node, "lineno", 0)
        return Finding(code=code, severity=severity, file=shown(self.file), line=line, message=message, remedy=remedy)

    @cached_property
    def functions(self) -> list[Function]:
        """Every function in the file, nested ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    @cached_property
    def dotted(self) -> dict[str, str]:
        """What the names that are imported mean, with their modules in front."""
        names: dict[str, str] = {}
        for node in ast.walk(self.tree):
            match node:
                case ast.Import(names=aliases):
                    names |= {alias.asname or alias.name.partition(".")[0]: _imported(alias) for alias in aliases}
                case ast.ImportFrom(module=str(module), names=aliases):
                    names |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in aliases}
                case _:
                    pass
        return names

    def means(self, node: ast.expr) -> str:
        """A name with its module in front: `datetime.datetime.now`."""
        match node:
            case ast.Name(id=name):
                return self.dotted.get(name, name)
            case ast.Attribute(value=value, attr=attr):
                return f"{self.means(value)}.{attr}"
            case _:
                return ""


@dataclass
class Project:
    """Everything that is checked together."""

    modules: list[Module] = field(default_factory=list[Module])
    readings: list[Reading] = field(default_factory=list[Reading])
    events: EventCatalog = field(default_factory=EventCatalog)
    forms: FormCatalog = field(default_factory=FormCatalog)
    topics: Topics = field(default_factory=Topics)
    form_files: list[Module] = field(default_factory=list[Module])
    templates: Path | None = None
    limits: Limits = field(default_factory=Limits)


def at(
    reading: Reading, node: str, code: str, message: str, remedy: str, *, severity: Severity = Severity.ERROR
) -> Finding:
    """Something wrong at a node of a journey's map."""
    place = reading.graph.by_id[node]
    return Finding(
        code=code,
        severity=severity,
        file=place.file,
        line=place.line,
        message=message,
        remedy=remedy,
        journey=reading.graph.journey,
    )


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """What stands in a function, without the functions inside it."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        if not isinstance(node, Function):
            yield node
            todo.extend(ast.iter_child_nodes(node))


def _imported(alias: ast.alias) -> str:
    return alias.name if alias.asname else alias.name.partition(".")[0]
