"""Gathers what is to be checked, and asks every rule."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from tabiji.domain.event_catalog import EventCatalog
from tabiji.errors import JourneyDefinitionError
from tabiji.journey.check import map_rules, source_rules
from tabiji.journey.check.circles import circles
from tabiji.journey.check.content_rules import arms_of_mails
from tabiji.journey.check.findings import Finding, Limits, Module, Project, Severity
from tabiji.journey.check.templates import mails
from tabiji.journey.check.topic_rules import topics_of_forms, topics_of_mails
from tabiji.journey.discovery import discover, discover_events, discover_forms, discover_topics
from tabiji.journey.journey import Journey
from tabiji.journey.map import Reading, read_journey
from tabiji.journey.map.source import parsed, shown

_PLACE = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+): (?P<words>.*)$", re.DOTALL)
_IGNORED = re.compile(r"#\s*tabiji:\s*ignore\[([\w\-, ]+)\]")


def check(
    package: str = "workflows",
    *,
    forms: str = "forms",
    topics: str = "topics",
    templates: Path | None = None,
    limits: Limits | None = None,
) -> list[Finding]:
    """Check an application: every journey below a package.

    A file that cannot be read is a finding; all other rules then wait until it can.

    Args:
        package: Where the journeys are.
        forms: Where the forms are. While there are none, any may be waited for.
        topics: Where the topics are. While there are none, any may be used.
        templates: The folder with the templates of mails; None: they are not looked at.
        limits: What is too much.
    """
    files = _files_of(package)
    broken = [finding for file in files if (finding := _syntax(file)) is not None]
    if broken:
        return broken
    try:
        journeys, events = discover(package), discover_events(package)
        known_forms, known_topics = discover_forms(forms), discover_topics(topics)
    except JourneyDefinitionError as error:
        return [_as_finding(error)]
    project = _project(journeys, events)
    project.forms, project.topics = known_forms, known_topics
    project.form_files = [Module(str(file), parsed(str(file))) for file in _files_of(forms)]
    project.templates, project.limits = templates, limits or Limits()
    return check_project(project)


def check_project(project: Project) -> list[Finding]:
    """Ask every rule. Sorted by place; what a comment `# tabiji: ignore[code]` in its line allows is left out."""
    found = [finding for module in project.modules for rule in source_rules.RULES for finding in rule(module)]
    for reading in project.readings:
        found += [finding for rule in map_rules.RULES for finding in rule(reading, project)]
        found += mails(reading, project)
        found += arms_of_mails(reading, project)
        found += topics_of_mails(reading, project)
    found += [finding for module in project.form_files for finding in topics_of_forms(module, project)]
    found += circles(project)
    allowed = _allowed(project)
    kept = [one for one in dict.fromkeys(found) if one.code not in allowed.get((one.file, one.line), ())]
    return sorted(kept, key=lambda one: (one.file, one.line, one.code, one.message))


def _project(journeys: list[type[Journey]], events: EventCatalog) -> Project:
    readings: list[Reading] = [read_journey(journey) for journey in journeys]
    # Of what lies in the package, that which is no journey's is not the language's business.
    sources = sorted({file for reading in readings for file in reading.files})
    return Project([Module(file, parsed(file)) for file in sources], readings, events)


def _files_of(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    return sorted(file for place in places for file in Path(place).rglob("*.py"))


def _syntax(file: Path) -> Finding | None:
    line = 0
    try:
        ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
        return None
    except SyntaxError as error:
        words, line = error.msg or "invalid syntax", error.lineno or 0
    except ValueError as error:
        words = str(error)
    return Finding(
        code="syntax",
        severity=Severity.ERROR,
        file=shown(str(file)),
        line=line,
        message=f"{words}.",
        remedy="Python cannot read this file.",
    )


def _as_finding(error: JourneyDefinitionError) -> Finding:
    placed = _PLACE.match(str(error))
    file, line, words = (placed["file"], int(placed["line"]), placed["words"]) if placed else ("", 0, str(error))
    return Finding(
        code="cannot-load",
        severity=Severity.ERROR,
        file=shown(file) if file and Path(file).exists() else file or "workflows",
        line=line,
        message=words if words.endswith((".", "?", "!", "…)")) else f"{words}.",
        remedy="Nothing else is checked until this is mended.",
    )


def _allowed(project: Project) -> dict[tuple[str, int], frozenset[str]]:
    return {
        (shown(module.file), number): frozenset(code.strip() for code in found[1].split(","))
        for module in (*project.modules, *project.form_files)
        for number, found in _ignores(module)
    }


def _ignores(module: Module) -> Iterator[tuple[int, re.Match[str]]]:
    for number, line in enumerate(Path(module.file).read_text(encoding="utf-8").splitlines(), 1):
        if (found := _IGNORED.search(line)) is not None:
            yield number, found
