"""What routes ask for."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import Depends
from pydantic import AfterValidator, StringConstraints
from starlette.requests import Request

from api.bodies import text_problem
from api.parts import Parts


def parts_of_app(app: Any) -> Parts:
    """The parts a running application was composed of."""
    return cast("Parts", app.state.parts)


def _parts(request: Request) -> Parts:
    return parts_of_app(request.app)


PartsDep = Annotated[Parts, Depends(_parts)]


def _keepable(value: str) -> str:
    if (problem := text_problem(value)) is not None:
        raise ValueError(problem)
    return value


def _telling(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


_CHECKS = (AfterValidator(_keepable), AfterValidator(_telling))

Text = Annotated[str, AfterValidator(_keepable)]
"""Text a database can keep."""
Name = Annotated[str, StringConstraints(max_length=200), *_CHECKS]
Identifier = Annotated[str, StringConstraints(max_length=256), *_CHECKS]
Topic = Annotated[str, StringConstraints(max_length=64), *_CHECKS]
