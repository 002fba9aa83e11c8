"""Reads JSON bodies strictly: what a database cannot keep, or another reader would understand differently, is
refused here with the name of its field.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, cast

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.errors import ApiProblem, FieldProblem, InvalidInput, invalid

DEEPEST = 16
LARGEST = 2**63 - 1
"""Of whole numbers: what SQLite, PostgreSQL and most JSON readers share."""


def parse(body: bytes) -> Any:
    """Parse one JSON document.

    Raises:
        ApiProblem: 400 when it is not JSON in UTF-8; 422 naming each field that cannot be kept.
    """
    document = load(body)
    problems = list(problems_of(document))
    if problems:
        raise InvalidInput(*problems[:20])
    return document


def load(body: bytes) -> Any:
    """Read one JSON document, with whatever is wrong inside it: see `problems_of`.

    Raises:
        ApiProblem: It is not JSON in UTF-8, or is nested far too deep.
    """
    try:
        return json.loads(body.decode("utf-8"), parse_int=_whole_number)
    except RecursionError:
        raise invalid("body", f"is nested more than {DEEPEST} deep") from None
    except UnicodeDecodeError:
        raise ApiProblem(400, "bad_json", "the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ApiProblem(400, "bad_json", f"the body is not JSON: {error.msg} at character {error.pos}") from None


def text_problem(text: str) -> str | None:
    """Why a text cannot be kept, or None."""
    if "\x00" in text:
        return "contains a NUL character"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "contains half a surrogate pair, which is no character"
    return None


def _whole_number(digits: str) -> int | float:
    # Python refuses to read thousands of digits at all; infinity is refused below, with the field's name.
    return int(digits) if len(digits) <= 20 else math.inf


def problems_of(document: Any) -> Iterator[FieldProblem]:
    """What of a document cannot be kept, by the names of its fields."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        problem = _problem(value) if len(path) <= DEEPEST else f"is nested more than {DEEPEST} deep"
        if problem is not None:
            yield FieldProblem(field=_named(path), problem=problem)
        elif isinstance(value, dict):
            for name, inner in cast("dict[str, Any]", value).items():
                if (wrong := text_problem(name)) is not None:
                    yield FieldProblem(field=_named(path), problem=f"has a name that {wrong}")
                else:
                    waiting.append(((*path, name), inner))
        elif isinstance(value, list):
            waiting += [((*path, str(place)), inner) for place, inner in enumerate(cast("Sequence[Any]", value))]


def _problem(value: Any) -> str | None:
    if isinstance(value, str):
        return text_problem(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "is not a finite number"
    if isinstance(value, int) and abs(value) > LARGEST:
        return "is a whole number of more than 64 bits; send it as text"
    return None


def _named(path: tuple[str, ...]) -> str:
    return ".".join(path) or "body"


class StrictRequest(Request):
    """A request whose JSON is read by the rules above."""

    async def json(self) -> Any:
        """See `parse`."""
        return parse(await self.body())


class StrictRoute(APIRoute):
    """A route that takes JSON, and says so to who sends something else."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See base class."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None

        async def strict(request: Request) -> Response:
            if takes_body:
                _check_type(request)
            return await handle(StrictRequest(request.scope, request.receive))

        return strict


def _check_type(request: Request) -> None:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ApiProblem(415, "unsupported_media_type", "send the body without Content-Encoding")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiProblem(415, "unsupported_media_type", "send JSON, with Content-Type: application/json")
