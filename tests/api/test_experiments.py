"""Experiments by HTTP and by the command, in words marketers understand."""

from __future__ import annotations

from datetime import timedelta

from rich.console import Console

from tabiji.desk.experiments import told
from tests.api.conftest import Door
from tests.experiments.crowd import NOON, asked, crowd

LONG_AGO = NOON - timedelta(days=365)


async def test_an_experiment_is_listed_read_out_and_decided(door: Door) -> None:
    assert (await door.full.get("/v1/experiments")).json() == {"experiments": []}
    await crowd(door.parts.database, asked("welcome / subject"), {"plain": (400, 20), "warm": (400, 60)}, at=LONG_AGO)

    [listed] = (await door.full.get("/v1/experiments")).json()["experiments"]
    shown = (await door.full.get("/v1/experiments/welcome%20%2F%20subject")).json()
    assert (listed["people"], listed["goals"], listed["within"]) == (800, ["Order Completed"], "7 days")
    assert (shown["verdict"], shown["winner"]) == ("winner", "warm")
    assert shown["detail"][1]["uplift"]["low"] > 0

    decision = "/v1/experiments/welcome%20%2F%20subject/decision"
    answer = await door.full.post(decision, json={"arm": "plain"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["decision"]["arm"], answer.json()["decision"]["by"]) == ("plain", "ops")
    reopened = await door.full.post(
        "/v1/experiments/welcome%20%2F%20subject/decision", json={"arm": None, "by": "Sato"}
    )
    assert reopened.json()["decision"] is None


async def test_the_answer_comes_first_then_the_figures(door: Door) -> None:
    await crowd(door.parts.database, asked(), {"plain": (400, 20), "warm": (400, 60)}, at=LONG_AGO)
    console = Console(record=True, width=140)
    told((await door.full.get("/v1/experiments/subject")).json(), console)
    lines = console.export_text().splitlines()
    assert lines[1].startswith("warm wins")
    assert lines[2] == "Next: Give it to everybody who has no arm yet: tabiji experiment decide 'subject' warm."
    assert "Counted: Order Completed, within 7 days" in "\n".join(lines)
    assert "15.0%" in lines[-1]


async def test_an_unknown_one_and_an_unknown_arm_are_not_found(door: Door) -> None:
    await crowd(door.parts.database, asked(), {"plain": (4, 0), "warm": (4, 0)}, at=LONG_AGO)
    for answer in (
        await door.full.get("/v1/experiments/other"),
        await door.full.post("/v1/experiments/other/decision", json={"arm": "plain"}),
        await door.full.post("/v1/experiments/subject/decision", json={"arm": "hot"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_experiment")
    refused = await door.ingest.post("/v1/experiments/subject/decision", json={"arm": "warm"})
    assert refused.status_code == 403
