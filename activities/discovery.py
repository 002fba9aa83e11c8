"""Finds an author's own activities: every module below activities/own, no list to edit."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import traceback
from collections.abc import Callable, Collection
from types import ModuleType
from typing import Any, cast, get_type_hints

from tabiji.domain.changes import OwnOrder
from tabiji.errors import ConfigurationError

PACKAGE = "activities.own"
_DEFINITION = "__temporal_activity_definition"


def own_activities(taken: Collection[str] = (), package: str = PACKAGE) -> list[Callable[..., Any]]:
    """Import everything below a package and return the activities declared there, sorted by name.

    Args:
        taken: Names that are given already: the verbs' own.
        package: Where to look.

    Raises:
        ConfigurationError: A module cannot be loaded, two activities share a name, or one does not take an order.
    """
    root = _load(package)
    modules = [root, *(_load(found.name) for found in pkgutil.walk_packages(root.__path__, f"{package}."))]
    found: dict[str, Callable[..., Any]] = {}
    for function in (value for module in modules for value in _declared_in(module)):
        name = name_of(function)
        if name in taken:
            raise ConfigurationError(f"{_place(function)}: {name!r} is the name of a verb's activity. Take another.")
        if name in found:
            raise ConfigurationError(f"{_place(function)}: {_place(found[name])} has the name {name!r} already.")
        _check(function)
        found[name] = function
    return [found[name] for name in sorted(found)]


def name_of(activity: Callable[..., Any]) -> str:
    """The name an activity is called by."""
    return str(getattr(activity, _DEFINITION).name or "")


def _declared_in(module: ModuleType) -> list[Callable[..., Any]]:
    functions = [value for value in vars(module).values() if inspect.isfunction(value) and hasattr(value, _DEFINITION)]
    return [function for function in functions if function.__module__ == module.__name__]


def _check(function: Callable[..., Any]) -> None:
    if not inspect.iscoroutinefunction(function):
        raise ConfigurationError(f"{_place(function)} must be `async def`: the worker has no threads for activities.")
    parameters = list(inspect.signature(function).parameters)
    takes = get_type_hints(function).get(parameters[0]) if len(parameters) == 1 else None
    if not (isinstance(takes, type) and issubclass(takes, OwnOrder)):
        raise ConfigurationError(
            f"{_place(function)} must take one argument, `order: OwnOrder` or `order: OwnOrder[YourPayload]`."
        )


def _place(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{cast('Any', function).__qualname__}"


def _load(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        where = [frame for frame in traceback.extract_tb(error.__traceback__) if "/activities/" in frame.filename]
        place = f"{where[-1].filename}:{where[-1].lineno}" if where else name
        raise ConfigurationError(f"{place}: {type(error).__name__}: {error}") from error
