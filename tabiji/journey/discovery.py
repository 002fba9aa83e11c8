"""Finds what an application declares, from journeys to topics: every module of a package, nobody edits a list."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import traceback
from itertools import pairwise
from types import ModuleType
from typing import Any, TypeVar

from tabiji.domain.event_catalog import EventCatalog
from tabiji.domain.events import Event
from tabiji.domain.forms import Form, FormCatalog
from tabiji.domain.hooks import Source, Sources
from tabiji.domain.journeys import Catalog
from tabiji.domain.known_events import BUILT_IN
from tabiji.domain.params import Param, ParamCatalog
from tabiji.domain.topics import Topic, Topics
from tabiji.errors import JourneyDefinitionError
from tabiji.journey.journey import Journey

C = TypeVar("C")

_PLACED = re.compile(r"[^:\n]+:\d+: ")


def discover(package: str = "workflows") -> list[type[Journey]]:
    """Import everything below a package and return the journeys declared there, sorted by name.

    Raises:
        JourneyDefinitionError: A module cannot be loaded, two journeys share a name, or one hands over to a journey
            that is not there.
    """
    journeys = set(_classes(package, Journey))
    for undeclared in journeys:
        if "spec" not in vars(undeclared):
            raise JourneyDefinitionError(
                f"{undeclared.__module__}.{undeclared.__name__} is a Journey without @journey(…) above it."
            )
    found = sorted(journeys, key=lambda journey: (journey.spec.name, *_place(journey)))
    for one, other in pairwise(found):
        if one.spec.name == other.spec.name:
            first, second = (":".join(map(str, _place(journey))) for journey in (one, other))
            raise JourneyDefinitionError(
                f"{second}: journey {other.spec.name!r} is in {first} already. "
                "Rename one class, or give it @journey(name=…)."
            )
    Catalog(journey.spec for journey in found)
    return found


def discover_events(package: str = "workflows") -> EventCatalog:
    """Import everything below a package and return the events declared there, with those everybody has.

    Raises:
        JourneyDefinitionError: A module cannot be loaded, or two classes declare one event.
    """
    return EventCatalog(_classes(package, Event), BUILT_IN)


def discover_params(package: str = "workflows") -> ParamCatalog:
    """Import everything below a package and return the values opened there, in modules and in classes.

    Raises:
        JourneyDefinitionError: A module cannot be loaded, or two have one name.
    """
    spaces: list[object] = [*_modules(package), *_classes(package, object)]
    values: list[object] = [value for space in spaces for value in vars(space).values()]
    found: list[Param[Any]] = [value for value in values if isinstance(value, Param)]
    return ParamCatalog(found)


def discover_forms(package: str = "forms") -> FormCatalog:
    """Import everything below a package and return the forms declared there; none where there is no such package.

    Raises:
        JourneyDefinitionError: A module cannot be loaded, or two forms have one name.
    """
    if importlib.util.find_spec(package) is None:
        return FormCatalog()
    found = [
        (value, module) for module in _modules(package) for value in vars(module).values() if isinstance(value, Form)
    ]
    places: dict[str, tuple[Form, str]] = {}
    for form, module in found:
        known, place = places.setdefault(form.name, (form, module.__name__))
        if known is not form:
            raise JourneyDefinitionError(
                f"{module.__name__}: form {form.name!r} is in {place} already. Rename one: the name is its address."
            )
    return FormCatalog(form for form, _ in places.values())


def discover_topics(package: str = "topics") -> Topics:
    """Import everything below a package and return the topics declared there; none where there is no such package.

    Raises:
        JourneyDefinitionError: A module cannot be loaded, or two topics have one name.
    """
    if importlib.util.find_spec(package) is None:
        return Topics()
    found = [value for module in _modules(package) for value in vars(module).values() if isinstance(value, Topic)]
    # One that a second module imports is still one.
    return Topics({id(topic): topic for topic in found}.values())


def discover_sources(package: str = "hooks") -> Sources:
    """Import everything below a package and return the sources declared there; none where there is no such package.

    Raises:
        JourneyDefinitionError: A module cannot be loaded, or two sources have one name.
    """
    if importlib.util.find_spec(package) is None:
        return Sources()
    places: dict[str, tuple[Source, str]] = {}
    for module in _modules(package):
        for source in (value for value in vars(module).values() if isinstance(value, Source)):
            known, place = places.setdefault(source.name, (source, module.__name__))
            if known is not source:
                raise JourneyDefinitionError(
                    f"{module.__name__}: source {source.name!r} is in {place} already. "
                    "Rename one: the name is its address."
                )
    return Sources(source for source, _ in places.values())


def _place(journey: type[Journey]) -> tuple[str, int]:
    """File and line of the class."""
    return inspect.getsourcefile(journey) or journey.__module__, inspect.getsourcelines(journey)[1]


def _modules(package: str) -> list[ModuleType]:
    root = _load(package)
    return [root, *(_load(found.name) for found in pkgutil.walk_packages(root.__path__, f"{package}."))]


def _classes(package: str, base: type[C]) -> list[type[C]]:
    """Classes written below a package, in a stable order."""
    return [
        value
        for module in _modules(package)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]


def _load(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except JourneyDefinitionError as error:
        if _PLACED.match(str(error)) or not (place := _line_of(error, name)):
            raise
        raise JourneyDefinitionError(f"{place}{error}") from error
    except SyntaxError as error:
        raise JourneyDefinitionError(f"{error.filename}:{error.lineno}: {error.msg}") from error
    except Exception as error:
        place = _line_of(error, name) or f"{name}: "
        raise JourneyDefinitionError(f"{place}{type(error).__name__}: {error}") from error


def _line_of(error: Exception, name: str) -> str:
    """The author's line that failed while a module of their package was loaded; empty where there is none."""
    package = f"/{name.partition('.')[0]}/"
    at = [frame for frame in traceback.extract_tb(error.__traceback__) if package in frame.filename]
    return f"{at[-1].filename}:{at[-1].lineno}: " if at else ""
