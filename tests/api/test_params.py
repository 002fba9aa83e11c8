"""Marketers turn what authors opened, within bounds, and it is written down."""

from __future__ import annotations

import dataclasses

import pytest

from tabiji import days, param
from tabiji.domain.params import ParamCatalog
from tests.api.conftest import Door

NUDGE = param("nudge-after", days(2), at_least=days(1), at_most=days(14), title="Wait before the nudge")


@pytest.fixture
def with_param(door: Door) -> Door:
    door.app.state.parts = dataclasses.replace(door.parts, params=ParamCatalog([NUDGE]))
    return door


async def test_a_value_is_turned_and_every_change_is_kept_with_who_and_when(with_param: Door) -> None:
    ops = with_param.full
    before = (await ops.get("/v1/params")).json()["params"]

    first = await ops.put("/v1/params/nudge-after", json={"value": "3 days", "by": "hanako"})
    await ops.put("/v1/params/nudge-after", json={"value": "P5D"})

    assert [(one["name"], one["in_words"], one["version"]) for one in before] == [("nudge-after", "2 days", 0)]
    assert first.status_code == 200, first.text
    assert (first.json()["value"], first.json()["set_by"], first.json()["version"]) == ("P3D", "hanako", 1)
    versions = (await ops.get("/v1/params/nudge-after/history")).json()["versions"]
    assert [(one["before"], one["value"], one["set_by"], one["key"]) for one in versions] == [
        ("P3D", "P5D", "ops", "ops"),
        ("P2D", "P3D", "hanako", "ops"),
    ]


async def test_a_value_out_of_bounds_is_refused_with_what_is_allowed(with_param: Door) -> None:
    answer = await with_param.full.put("/v1/params/nudge-after", json={"value": "15 days"})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "value", "problem": "must be a duration, at least 1 day, at most 14 days"}
    ]
    assert (await with_param.full.get("/v1/params/nudge-after")).json()["version"] == 0


async def test_an_unknown_one_is_not_found_and_a_write_key_turns_nothing(with_param: Door) -> None:
    for answer in (
        await with_param.full.get("/v1/params/other"),
        await with_param.full.put("/v1/params/other", json={"value": 1}),
        await with_param.full.get("/v1/params/other/history"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_param")
    assert (await with_param.ingest.put("/v1/params/nudge-after", json={"value": "3 days"})).status_code == 403
