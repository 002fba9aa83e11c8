from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from models import schema
from models.database import Database
from models.record import Recorder
from tabiji.errors import ConfigurationError, DatabaseDown
from tests.api.conftest import Door, opened, settings_for

PROBLEM = "application/problem+json"


@pytest.fixture
def database(sqlite: Database) -> Database:
    """What is proved here does not depend on the database."""
    return sqlite


async def test_alive_is_no_more_than_alive(door: Door) -> None:
    assert (await door.nobody.get("/healthz")).json() == {"status": "ok"}


async def test_ready_while_temporal_is_away_is_degraded_and_takes_events(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'migrated.sqlite3'}")
    settings = settings_for(database, tmp_path)
    await schema.upgrade(settings)
    try:
        async with opened(database, settings) as door:
            answer = await door.nobody.get("/readyz")
            taken = await door.ingest.post("/v1/track", json={"userId": "u", "event": "X"})
    finally:
        await database.close()

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert (answer.json()["database"]["status"], answer.json()["temporal"]["status"]) == ("ok", "away")
    assert settings.temporal_address not in answer.text
    assert taken.status_code == 200


async def test_a_migration_does_not_turn_traffic_away_from_the_processes_before_it(tmp_path: Path) -> None:
    """The new ones are on their way; the database is as good for these as it was."""
    database = Database(f"sqlite:///{tmp_path / 'migrated.sqlite3'}")
    settings = settings_for(database, tmp_path)
    await schema.upgrade(settings)
    try:
        async with opened(database, settings) as door:
            async with database.write() as tx:
                await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            answer = await door.nobody.get("/readyz")
    finally:
        await database.close()

    assert answer.status_code == 200
    assert "newer than this process" in answer.json()["database"]["detail"]


async def test_a_database_without_our_schema_is_not_ready(door: Door) -> None:
    answer = await door.nobody.get("/readyz")  # the tests' tables carry no revision

    assert (answer.status_code, answer.json()["status"]) == (503, "away")
    assert "tabiji migrate" in answer.json()["database"]["detail"]


async def test_a_database_that_is_away_asks_for_patience(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await door.full.get("/v1/journeys")).status_code == 200  # the key is remembered

    def away(*_: object) -> None:
        raise DatabaseDown("the database does not answer")

    for way in ("read", "write", "transact"):
        monkeypatch.setattr(Database, way, away)

    for answer in (
        await door.full.post("/v1/track", json={"userId": "u", "event": "X"}),
        await door.full.get("/v1/enrollments"),
        await door.full.get("/v1/stuck"),
        await door.full.get("/metrics"),
        await door.nobody.get("/v1/journeys", headers={"Authorization": "Bearer tbj_" + "a" * 43}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (503, "database_down")
        assert answer.headers["content-type"] == PROBLEM
        assert int(answer.headers["retry-after"]) > 0


async def test_what_breaks_here_is_a_problem_document_that_tells_no_secrets(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(Recorder, "record", broken)

    answer = await door.ingest.post("/v1/track", json={"userId": "u", "event": "X"})

    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert "hunter2" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_unknown_paths_and_methods_are_problem_documents(door: Door) -> None:
    missing, wrong = await door.full.get("/v1/nothing"), await door.full.delete("/v1/track")

    assert (missing.status_code, missing.json()["code"], missing.headers["content-type"]) == (404, "not_found", PROBLEM)
    assert (wrong.status_code, wrong.json()["code"], wrong.headers["allow"]) == (405, "method_not_allowed", "POST")


async def test_every_answer_carries_the_headers_that_keep_browsers_careful(door: Door) -> None:
    for client, path in (
        (door.nobody, "/healthz"),
        (door.nobody, "/v1/x"),
        (door.full, "/v1/journeys"),
        (door.nobody, "/f/whitepaper"),
    ):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


async def test_metrics_count_requests_by_route_and_events_by_kind(door: Door) -> None:
    for _ in range(2):
        await door.ingest.post("/v1/track", json={"userId": "u", "event": "X", "messageId": "m1"})
    await door.full.get("/v1/contacts/00000000-0000-0000-0000-000000000000")

    text = (await door.full.get("/metrics")).text

    assert 'tabiji_events_recorded_total{kind="track"} 1.0' in text
    assert "tabiji_events_repeated_total 1.0" in text
    assert 'tabiji_http_request_seconds_count{method="POST",route="/v1/track",status="200"} 2.0' in text
    assert 'route="/v1/contacts/{contact_id}",status="404"' in text
    assert "tabiji_dispatch_lag_seconds 0.0" in text


async def test_stuck_says_so_when_temporal_is_away(door: Door) -> None:
    found = (await door.full.get("/v1/stuck")).json()

    assert (found["ok"], found["temporal"]) == (False, None)
    assert "does not answer" in found["detail"]


def test_an_api_without_a_secret_says_which_setting_is_missing(tmp_path: Path) -> None:
    from tabiji.settings import Settings

    settings = Settings(_env_file=None, data=tmp_path, secret=None)  # type: ignore[call-arg] # pydantic-settings takes it
    with pytest.raises(ConfigurationError, match="TABIJI_SECRET"):
        _ = settings.signing_secret
    (tmp_path / "secret").write_text("of the desk\n")
    assert settings.signing_secret == "of the desk"
