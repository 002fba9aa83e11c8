"""What the API shows of imports, and how pairs are settled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.database import Database
from tests.api.conftest import Door, opened, settings_for
from tests.imports.house import House


async def two(house: House) -> None:
    await house.take_in(house.file("email,user_id,氏名,会社名\ntaro@example.jp,u-1,山田 太郎,株式会社たびじ\n"))
    await house.take_in(house.file("email,氏名,会社名,plan\nyamada@example.com,山田太郎,㈱たびじ,pro\n"))


async def pairs(door: Door, state: str = "open") -> list[dict[str, Any]]:
    answer = await door.full.get("/v1/duplicates", params={"state": state})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["duplicates"]
    return found


async def test_imports_are_shown_with_how_they_went(sqlite: Database, tmp_path: Path) -> None:
    await two(House(sqlite, tmp_path))
    async with opened(sqlite, settings_for(sqlite, tmp_path)) as door:
        last, first = (await door.full.get("/v1/imports")).json()["imports"]
        assert (last["state"], last["people"], last["name"]) == ("done", 1, "people.csv")
        assert (await door.full.get(f"/v1/imports/{first['id']}")).json() == first
        assert (await door.full.get(f"/v1/imports/{door_id()}")).status_code == 404
        assert (await door.nobody.get("/v1/imports")).status_code == 401


async def test_a_pair_says_why_and_is_merged_when_somebody_says_so(database: Database, tmp_path: Path) -> None:
    house = House(database, tmp_path)
    await two(house)
    async with opened(database, settings_for(database, tmp_path)) as door:
        (pair,) = await pairs(door)
        assert pair["reasons"] == ["same name", "same company"]
        assert {side["email"] for side in pair["contacts"]} == {"taro@example.jp", "yamada@example.com"}

        answer = await door.full.post(f"/v1/duplicates/{pair['id']}", json={"verdict": "same"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "merged"
        assert await pairs(door) == []
        again = await door.full.post(f"/v1/duplicates/{pair['id']}", json={"verdict": "same"})
        assert again.status_code == 409

    taro = await house.known("taro@example.jp")
    assert (await house.known("yamada@example.com")).id == taro.id
    assert taro.email == "taro@example.jp"
    assert taro.attributes["plan"] == "pro"


async def test_two_who_have_only_addresses_are_merged_too(sqlite: Database, tmp_path: Path) -> None:
    house = House(sqlite, tmp_path)
    await house.take_in(house.file("email,氏名,会社名\na@example.jp,山田 太郎,たびじ\nb@example.jp,山田太郎,たびじ\n"))
    async with opened(sqlite, settings_for(sqlite, tmp_path)) as door:
        (pair,) = await pairs(door)
        answer = await door.full.post(f"/v1/duplicates/{pair['id']}", json={"verdict": "same"})
        assert answer.status_code == 200, answer.text
    one = await house.known("a@example.jp")
    assert (await house.known("b@example.jp")).id == one.id
    assert one.email == "a@example.jp"


async def test_two_who_are_two_are_not_asked_about_again(sqlite: Database, tmp_path: Path) -> None:
    house = House(sqlite, tmp_path)
    await two(house)
    async with opened(sqlite, settings_for(sqlite, tmp_path)) as door:
        (pair,) = await pairs(door)
        await door.full.post(f"/v1/duplicates/{pair['id']}", json={"verdict": "different"})
        await two(house)
        assert await pairs(door) == []
        assert [one["id"] for one in await pairs(door, "different")] == [pair["id"]]
    assert (await house.known("yamada@example.com")).id != (await house.known("taro@example.jp")).id


def door_id() -> str:
    return "00000000-0000-7000-8000-000000000000"
