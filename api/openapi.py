"""The description of the API: what FastAPI cannot know by itself."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI

from api.errors import Problem, responses
from api.ingest.described import describe as describe_calls
from api.keys import COUNTED

TITLE = "tabiji"


def _version() -> str:
    try:
        return version("tabiji")
    except PackageNotFoundError:
        return "0"


ABOUT: dict[str, Any] = {
    "version": _version(),
    "description": (
        "Send what people do; journeys start and go on. Everything but health, forms and the links in mails needs a "
        "key: `Authorization: Bearer KEY`, or Basic with the key as user name. A key of scope *browser* may track, "
        "page, screen and identify; *write* sends all that comes in; *read* looks; *admin* does everything. Who sends "
        "too much gets 429 with Retry-After. Every failure is a problem document (RFC 9457)."
    ),
    "openapi_tags": [
        {"name": "tracking", "description": "Segment-shaped: who somebody is and what they did"},
        {"name": "contacts", "description": "Who somebody is, what happened, what they agreed to"},
        {"name": "enrollments", "description": "Who is where in which journey"},
        {"name": "journeys", "description": "What people can enter"},
        {"name": "events", "description": "What is declared, and what came in otherwise"},
        {"name": "conditions", "description": "What a condition says and would have found"},
        {"name": "params", "description": "What authors have opened to be turned"},
        {"name": "control", "description": "Pause, resume, skip, cancel, move: one, many, everything"},
        {"name": "tasks", "description": "What journeys gave people to do"},
        {"name": "approvals", "description": "Questions journeys have put to people"},
        {"name": "operations", "description": "What does not move although it should"},
        {"name": "links in mails", "description": "Open pixel, click, unsubscribe"},
        {"name": "tracker", "description": "The script for web pages"},
        {"name": "forms", "description": "Pages for visitors"},
        {"name": "health", "description": "For load balancers and monitoring"},
    ],
}


def complete(app: FastAPI) -> None:
    """Add the shape of problems, which every operation refers to."""
    describe = app.openapi

    def with_problems() -> dict[str, Any]:
        schema = describe()
        shapes = schema.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in shapes:
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            shapes.update(problem.pop("$defs", {}))
            shapes["Problem"] = problem
            describe_calls(schema)
            _forget_default_422(schema)
            _say_what_is_counted(schema)
        return schema

    app.openapi = with_problems  # type: ignore[method-assign] # FastAPI's documented way to change it


def _say_what_is_counted(schema: dict[str, Any]) -> None:
    """The gate counts some paths by client address, before their routes are asked."""
    for path in filter(COUNTED.match, schema["paths"]):
        for operation in schema["paths"][path].values():
            described = operation["responses"].setdefault("429", responses(429)[429])
            described["content"] = {**responses(429)[429]["content"], **described.get("content", {})}


def _forget_default_422(schema: dict[str, Any]) -> None:
    """FastAPI adds its own shape of a 422 wherever there is a parameter; ours stand where one can happen."""
    for path in schema["paths"].values():
        for operation in path.values():
            described = operation["responses"].get("422", {})
            if "application/json" in described.get("content", {}):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
