from __future__ import annotations

import base64
import re

import pytest
from fastapi.routing import iter_route_contexts

from api import known_keys
from models.database import Database
from models.key import Scope
from models.keys import create_key, revoke_key
from tests.api.conftest import Door


@pytest.fixture
def database(sqlite: Database) -> Database:
    """Who may come in does not depend on the database."""
    return sqlite


KEYLESS = {
    ("GET", "/o/{token}.gif"),
    ("HEAD", "/o/{token}.gif"),
    ("GET", "/c/{token}"),
    ("HEAD", "/c/{token}"),
    ("GET", "/u/{token}"),
    ("POST", "/u/{token}"),
    ("GET", "/confirm/{token}"),
    ("POST", "/confirm/{token}"),
    ("POST", "/confirm/{token}/again"),
    ("GET", "/preferences/{token}"),
    ("POST", "/preferences/{token}"),
    ("POST", "/preferences/{token}/link"),
    ("GET", "/a/{token}"),
    ("POST", "/a/{token}"),
    ("GET", "/f/{form}"),
    ("POST", "/f/{form}"),
    ("GET", "/f/{form}/embed"),
    ("POST", "/f/{form}/embed"),
    ("GET", "/f/{form}/file/{token}"),
    ("GET", "/f/{form}.js"),
    ("GET", "/popup.js"),
    ("GET", "/p/{name}"),
    ("POST", "/p/{name}"),
    ("GET", "/t.js"),
    ("HEAD", "/t.js"),
    ("POST", "/t/visit"),
    ("GET", "/debug"),
    ("GET", "/debug.js"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
}
BROWSER = {("POST", f"/v1/{call}") for call in ("identify", "track", "page", "screen", "batch")}
WRITE = BROWSER | {("POST", f"/v1/{call}") for call in ("group", "alias", "import")}
SIGNED = {("POST", "/v1/hooks/{source}"), ("POST", "/v1/carriers/{name}")}
"""No key: what comes is signed."""
LOOKS = {("POST", "/v1/conditions/check")}
"""Takes a body, and changes nothing."""
DESCRIPTION = {("GET", "/openapi.json"), ("HEAD", "/openapi.json")}
"""Any key opens the description: it says what the API is, not what is in it."""


def every_route(door: Door) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for context in iter_route_contexts(door.app.routes):
        path = context.path
        methods = context.methods
        assert path is not None
        assert methods, f"{path} is no ordinary route; say here who may call it"
        found |= {(method, path) for method in methods}
    return found


def filled(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "x", path)


async def test_the_walk_sees_every_route_the_description_has(door: Door) -> None:
    described = {
        (method.upper(), path) for path, operations in door.app.openapi()["paths"].items() for method in operations
    }
    walked = {(method, path.replace(":path", "")) for method, path in every_route(door)}

    assert described <= walked
    assert walked - described <= DESCRIPTION | KEYLESS


async def test_everything_but_the_keyless_list_answers_401_without_a_key(door: Door) -> None:
    for method, path in every_route(door) - SIGNED:
        answer = await door.nobody.request(method, filled(path), json={"userId": "u", "event": "X"})
        if (method, path) in KEYLESS:
            assert answer.status_code not in (401, 403), (method, path)
        else:
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == 'Bearer realm="tabiji"'


@pytest.mark.parametrize(("scope", "opens"), [("browser", BROWSER), ("write", WRITE), ("read", LOOKS), ("admin", None)])
async def test_a_key_opens_what_its_scope_says_and_nothing_else(
    door: Door, scope: Scope, opens: set[tuple[str, str]] | None
) -> None:
    headers = {"Authorization": f"Bearer {await create_key(door.parts.database, 'a key', scope)}"}
    for method, path in every_route(door) - KEYLESS - DESCRIPTION - SIGNED:
        reads = scope == "read" and method == "GET"
        answer = await door.nobody.request(method, filled(path), json={}, headers=headers)
        if opens is None or reads or (method, path) in opens:
            assert answer.status_code in (200, 201, 202, 404, 409, 422), (method, path, answer.text)
        else:
            assert answer.status_code == 403, (method, path, answer.text)
            assert "needs a key of scope" in answer.json()["detail"]
            assert f"this one has scope '{scope}'" in answer.json()["detail"]


async def test_paths_that_are_not_there_are_nobodys_business_either(door: Door) -> None:
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/docs",
        "/redoc",
        "/admin",
        "/favicon.ico",
        "//v1/contacts",
        "/f/a/../../v1/contacts",
        "/F/x",
    ]:
        assert (await door.nobody.get(path)).status_code == 401
        assert (await door.full.get(path)).status_code in (404, 307, 200, 422)


async def test_a_keyless_prefix_opens_no_other_door(door: Door) -> None:
    for path in ["/f/x%2f..%2f..%2fv1%2fcontacts", "/o/x/../../v1/contacts", "/u/x%0a", "/c/%00"]:
        answer = await door.nobody.get(path)

        assert answer.status_code in (401, 404)
        assert "timeline" not in answer.text


def basic(user: str, password: str = "") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def test_a_key_may_come_as_bearer_or_as_the_user_name_of_basic(door: Door) -> None:
    key = await create_key(door.parts.database, "both", "admin")

    for header in (f"Bearer {key}", f"bearer {key}", basic(key), basic(key, "ignored")):
        answer = await door.nobody.get("/v1/journeys", headers={"Authorization": header})
        assert answer.status_code == 200, header


NO_KEYS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer tbj_",
    "Bearer tbj_" + "a" * 43,
    "Bearer " + "x" * 5000,
    "Basic",
    "Basic ???",
    "Basic " + base64.b64encode(b"\xff\xfe").decode(),
    "Digest abc",
    "tbj_" + "a" * 43,
]


async def test_what_is_no_key_is_refused_and_not_sent_back(door: Door) -> None:
    for header in NO_KEYS:
        answer = await door.nobody.get("/v1/journeys", headers={"Authorization": header})

        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert "aaaa" not in answer.text


async def test_no_key_is_asked_for_before_anything_of_the_body_is_read(door: Door) -> None:
    for body in (b"{", b"x" * 100_000):
        assert (await door.nobody.post("/v1/pauses", content=body)).status_code == 401


async def test_a_revoked_key_is_refused_once_it_is_forgotten(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_keys, "REMEMBERED", 0.0)
    key = await create_key(door.parts.database, "leaver", "admin")
    header = {"Authorization": f"Bearer {key}"}
    assert (await door.nobody.get("/v1/journeys", headers=header)).status_code == 200

    assert await revoke_key(door.parts.database, "leaver")

    assert (await door.nobody.get("/v1/journeys", headers=header)).status_code == 401
    assert not await revoke_key(door.parts.database, "leaver")
