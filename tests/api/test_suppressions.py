"""The list of those who are not written to, by HTTP."""

from __future__ import annotations

import pytest

from models.suppression import Suppression
from tests.api.conftest import Door

LIST = "/v1/suppressions"


async def test_an_address_is_put_on_the_list_shown_and_lifted_by_whom(door: Door) -> None:
    ops = door.full
    first = await ops.post(LIST, json={"value": "Hanako@Example.jp", "note": "by telephone"})
    again = await ops.post(LIST, json={"value": "hanako@example.jp"})
    [shown] = (await ops.get(LIST, params={"value": "HANAKO@example.jp"})).json()["suppressions"]

    assert (first.status_code, first.json(), again.json()) == (201, {"added": 1}, {"added": 0})
    assert (shown["value"], shown["reason"], shown["by"], shown["note"]) == (
        "hanako@example.jp", "manual", "ops", "by telephone",
    )  # fmt: skip # one entry

    assert (await ops.post(f"{LIST}/lift", json={"value": "hanako@example.jp"})).json() == {"lifted": 1}
    assert (await ops.get(LIST)).json()["suppressions"] == []
    [over] = (await ops.get(LIST, params={"over": True})).json()["suppressions"]
    assert over["lifted_by"] == "ops"


async def test_a_domain_is_on_the_list_as_a_domain(door: Door) -> None:
    await door.full.post(LIST, json={"value": "example.jp"})

    [shown] = (await door.full.get(LIST)).json()["suppressions"]
    assert (shown["value"], shown["reason"]) == ("example.jp", "domain")


async def test_a_list_is_imported_whole_or_not_at_all_and_twice_is_once(door: Door) -> None:
    entries = [{"value": f"user{n}@example.jp", "reason": "hard_bounce"} for n in range(30)]
    wrong = await door.full.post(f"{LIST}/import", json={"entries": [*entries, {"value": "nobody"}]})
    assert wrong.status_code == 422
    assert [one["field"] for one in wrong.json()["errors"]] == ["entries.30.value"]
    assert await door.rows(Suppression) == 0

    added = [(await door.full.post(f"{LIST}/import", json={"entries": entries})).json()["added"] for _ in "12"]
    assert added == [30, 0]


async def test_pages_follow_each_other(door: Door) -> None:
    entries = [{"value": f"user{n}@example.jp"} for n in range(5)]
    await door.full.post(f"{LIST}/import", json={"entries": entries})
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = (await door.full.get(LIST, params={"limit": "2", **after})).json()
        seen += [one["value"] for one in page["suppressions"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}

    assert sorted(seen) == [entry["value"] for entry in entries]


@pytest.mark.parametrize("value", ["nobody", "com", "", "a b@example.jp", "x" * 255])
async def test_what_is_neither_address_nor_domain_is_refused(door: Door, value: str) -> None:
    assert (await door.full.post(LIST, json={"value": value})).status_code == 422


async def test_only_those_who_may_do_everything_change_the_list(door: Door) -> None:
    assert (await door.ingest.post(LIST, json={"value": "a@example.jp"})).status_code == 403
    assert (await door.nobody.get(LIST)).status_code == 401


async def test_what_came_in_by_mail_is_shown(door: Door) -> None:
    assert (await door.full.get("/v1/inbound", params={"matched": False})).json() == {"mails": [], "next": None}
    unknown = await door.full.get("/v1/inbound/00000000-0000-7000-8000-000000000000")
    assert unknown.status_code == 404
