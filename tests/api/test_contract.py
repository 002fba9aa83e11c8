"""The application, over a real port, against its own description: whatever may be sent, it never breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks as general
from schemathesis.specs.openapi import checks as openapi

from api.app import compose
from api.parts import Parts
from models import schema
from models.database import Database
from models.keys import create_key
from tests.api.conftest import free_port, parts_on, settings_for
from tests.databases import PostgresServer
from tests.serving import serving


@dataclass
class Served:
    url: str
    key: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Generator[Served]:
    """PostgreSQL, because it is the stricter of the two about what it keeps."""
    folder = tmp_path_factory.mktemp("served")
    name = "contract"
    asyncio.run(postgres.run(f"CREATE DATABASE {name}"))
    url, port = postgres.url(name), free_port()
    key = asyncio.run(_prepare(url))
    app = compose(lambda: _parts(url, folder))
    with serving(app, port):
        served = Served(f"http://127.0.0.1:{port}", key)
        _seed(served)
        yield served


def _seed(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.key}"}
    with httpx2.Client(base_url=served.url, headers=headers) as client:
        body = {"userId": "u1", "traits": {"email": "hanako@example.com"}}
        client.post("/v1/identify", json=body).raise_for_status()
        client.post("/v1/journeys/whitepaper-nurture/enrollments", json={"user_id": "u1"}).raise_for_status()


async def _prepare(url: str) -> str:
    database = Database(url, pool=1)
    try:
        await schema.upgrade(url)
        return await create_key(database, "contract", "admin")
    finally:
        await database.close()


@asynccontextmanager
async def _parts(url: str, folder: Path) -> AsyncGenerator[Parts]:
    database = Database(url)
    try:
        async with parts_on(database, settings_for(database, folder)) as parts:
            yield parts
    finally:
        await database.close()


def _never_opened() -> AbstractAsyncContextManager[Parts]:
    raise AssertionError("the description needs no parts")


DESCRIPTION: dict[str, Any] = compose(_never_opened).openapi()
api = schemathesis.openapi.from_dict(DESCRIPTION)
quick = schemathesis.openapi.from_dict(DESCRIPTION)
quick.config.phases.coverage.enabled = False
"""Without each bound of each field in turn: examples, and what chance brings."""


CHECKS: list[Any] = [
    general.not_a_server_error,  # pyright: ignore[reportUnknownMemberType] # open in schemathesis, as are the others
    openapi.status_code_conformance,  # pyright: ignore[reportUnknownMemberType]
    openapi.content_type_conformance,  # pyright: ignore[reportUnknownMemberType]
    openapi.response_schema_conformance,  # pyright: ignore[reportUnknownMemberType]
]


def _few_examples(examples: int) -> settings:
    too_strict = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=examples, deadline=None, suppress_health_check=too_strict, derandomize=True)


@quick.parametrize()  # pyright: ignore[reportUnknownMemberType, reportUntypedFunctionDecorator] # open in schemathesis
@_few_examples(4)
def test_nothing_that_may_be_sent_breaks_it_and_every_answer_is_as_described(
    case: schemathesis.Case[Any], served: Served
) -> None:
    _answers_as_described(case, served)


@pytest.mark.long
@api.parametrize()  # pyright: ignore[reportUnknownMemberType, reportUntypedFunctionDecorator] # open in schemathesis
@_few_examples(25)
def test_nothing_breaks_it_at_length_either(case: schemathesis.Case[Any], served: Served) -> None:
    _answers_as_described(case, served)


def _answers_as_described(case: schemathesis.Case[Any], served: Served) -> None:
    case.call_and_validate(  # pyright: ignore[reportUnknownMemberType] # open in schemathesis
        base_url=served.url,
        headers={"Authorization": f"Bearer {served.key}"},
        checks=CHECKS,
    )


def test_the_description_names_every_operation_and_gives_examples() -> None:
    operations = [operation for path in DESCRIPTION["paths"].values() for operation in path.values()]

    assert all(operation.get("operationId") and operation.get("tags") for operation in operations)
    assert all(operation.get("description") for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert set(DESCRIPTION["components"]["securitySchemes"]) == {"bearer", "basic"}
    for operation in operations:
        secured = {"401", "403"} <= set(operation["responses"]) or operation["operationId"] in ("identify",)
        assert secured == bool(operation.get("security")), operation["operationId"]
        for kind, body in operation.get("requestBody", {}).get("content", {}).items():
            shape = body["schema"].get("$ref", "").rpartition("/")[2]
            examples = body.get("examples") or DESCRIPTION["components"]["schemas"].get(shape, {}).get("examples")
            assert examples or "form" in kind, operation["operationId"]
