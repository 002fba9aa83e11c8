"""Every failure answers with a problem document (RFC 9457), whatever went wrong and wherever.

    {"type": "about:blank", "title": "Unprocessable Content", "status": 422, "code": "invalid_input",
     "detail": "userId: must not be empty", "errors": [{"field": "userId", "problem": "must not be empty"}]}

`code` is stable and may be matched on. What the caller sent is never sent back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tabiji.errors import (
    InvalidChange,
    InvalidEvent,
    TabijiError,
    Unavailable,
    UnknownAccount,
    UnknownApproval,
    UnknownContact,
    UnknownEnrollment,
    UnknownExperiment,
    UnknownImport,
    UnknownJourney,
    UnknownParam,
    UnknownTask,
    UnknownWebhook,
)

log = structlog.stdlib.get_logger(__name__)

PROBLEM = "application/problem+json"
RETRY_AFTER = 2
"""Seconds a client is asked to wait while the database is away."""


class FieldProblem(BaseModel):
    """What is wrong with one field, by the name the client gave it."""

    field: str
    problem: str


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Unprocessable Content",
                    "status": 422,
                    "code": "invalid_input",
                    "detail": "userId: must not be empty",
                    "errors": [{"field": "userId", "problem": "must not be empty"}],
                }
            ]
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldProblem] | None = None


class ApiProblem(HTTPException):
    """A refusal with a stable code."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers) if headers else None)
        self.code = code
        self.errors = list(errors)


class InvalidInput(ApiProblem):
    """The caller's input is wrong. Nothing was stored."""

    def __init__(self, *errors: FieldProblem) -> None:
        detail = "; ".join(f"{error.field}: {error.problem}" for error in errors[:5])
        super().__init__(422, "invalid_input", detail, errors=errors)


def invalid(field: str, problem: str) -> InvalidInput:
    """One field is wrong."""
    return InvalidInput(FieldProblem(field=field, problem=problem))


def problem_response(error: ApiProblem) -> Response:
    """The document for an error."""
    problem = Problem(
        title=_title(error.status_code),
        status=error.status_code,
        code=error.code,
        detail=error.detail,
        errors=error.errors or None,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True), error.status_code, headers=error.headers, media_type=PROBLEM
    )


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These problems, for OpenAPI."""
    return {
        status: {
            "description": _title(status),
            "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def translate(error: Exception) -> ApiProblem:
    """The refusal behind any error this application raises or lets through."""
    match error:
        case ApiProblem():
            return error
        case RequestValidationError():
            return InvalidInput(*(_field_problem(found) for found in error.errors()[:20]))
        case InvalidEvent():
            return invalid(error.field, error.problem)
        case InvalidChange():
            return ApiProblem(422, "invalid_input", str(error))
        case (
            UnknownApproval()
            | UnknownAccount()
            | UnknownTask()
            | UnknownExperiment()
            | UnknownImport()
            | UnknownWebhook()
            | UnknownContact()
            | UnknownJourney()
            | UnknownEnrollment()
            | UnknownParam()
        ):
            return ApiProblem(404, error.code, str(error))
        case Unavailable():
            wait = error.retry_after.total_seconds() if error.retry_after else RETRY_AFTER
            return ApiProblem(503, error.code, str(error), headers={"Retry-After": str(max(1, round(wait)))})
        case TabijiError():
            return ApiProblem(409, error.code, str(error))
        case HTTPException():
            return _of_http(error)
        case _:
            return ApiProblem(500, "internal", "something broke here; the log of the API has the rest")


def install(app: FastAPI) -> None:
    """Answer every failure of this application with a problem document."""

    async def answer(_: Request, error: Exception) -> Response:
        return problem_response(translate(error))

    for expected in (RequestValidationError, HTTPException, TabijiError):
        app.add_exception_handler(expected, answer)


class Unbroken:
    """Answers what nobody expected with a problem document that tells nothing of it; the log gets the trace."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            route = getattr(scope.get("route"), "path", None)
            log.exception("api.broken", route=route, problem=type(error).__name__)
            await problem_response(translate(error))(scope, receive, send)


def _of_http(error: HTTPException) -> ApiProblem:
    codes = {400: "bad_request", 401: "unauthorized", 404: "not_found", 405: "method_not_allowed"}
    details = {
        404: "nothing is here; the paths are listed in /openapi.json",
        405: "this path does not know that method",
    }
    code = codes.get(error.status_code, "http_error")
    detail = details.get(error.status_code) or error.detail or _title(error.status_code)
    return ApiProblem(error.status_code, code, detail, headers=error.headers)


def _field_problem(found: Mapping[str, Any]) -> FieldProblem:
    place = [str(part) for part in found["loc"]]
    name = ".".join(place[1:]) if len(place) > 1 else "body"
    words = str(found["msg"]).removeprefix("Value error, ")
    return FieldProblem(field=name, problem=words[:1].lower() + words[1:])


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
