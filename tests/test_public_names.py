"""What an author has to type can be imported from tabiji."""

from __future__ import annotations

import inspect
from collections.abc import Coroutine
from typing import get_args, get_origin, get_type_hints

import tabiji
from tabiji import Journey


def of_ours(hint: object) -> set[str]:
    """The names of tabiji's own types in an annotation."""
    inside = {name for part in get_args(hint) for name in of_ours(part)}
    bare = get_origin(hint) or hint
    if isinstance(bare, type) and bare.__module__.startswith("tabiji."):
        return inside | {bare.__name__}
    return inside


def test_whatever_a_verb_answers_with_can_be_annotated() -> None:
    methods = [method for name, method in inspect.getmembers(Journey, inspect.isfunction) if not name.startswith("_")]
    returned = [get_type_hints(method, localns=vars(tabiji)).get("return") for method in methods]
    answers = {name for hint in returned if get_origin(hint) is Coroutine for name in of_ours(hint)}
    assert {"Approval", "First", "Happened", "SendOutcome"} <= answers
    assert answers <= set(tabiji.__all__)


def test_every_name_that_is_offered_is_there() -> None:
    assert sorted(set(tabiji.__all__)) == sorted(tabiji.__all__)
    assert [name for name in tabiji.__all__ if not hasattr(tabiji, name)] == []
