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


Text = Annotated[str, AfterValidator(_keepable)]
"""Text a database can keep."""
Name = Annotated[Text, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]
Identifier = Annotated[Text, StringConstraints(min_length=1, max_length=256, pattern=r"\S")]
Topic = Annotated[Text, StringConstraints(min_length=1, max_length=64, pattern=r"\S")]
