"""A source is declared in one file, found by itself, and told from others by its name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tabiji.domain.hooks import LONGEST_ID, Sources, kept
from tabiji.errors import ConfigurationError, JourneyDefinitionError
from tabiji.hooks import Call, Hmac, HookEvent, Source, StandardWebhooks, Who, body, header
from tabiji.journey.discovery import discover_sources

SOURCE = """
from tabiji.hooks import Hmac, Source, body
crm = Source("crm", signed=Hmac("X-S"), topic=body("type"))
"""


def source(name: str = "crm", **more: object) -> Source:
    return Source(name, signed=Hmac("X-S"), topic=body("type"), id=header("X-Id"), **more)  # type: ignore[arg-type] # of a test


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "hooks_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield folder
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_the_shops_source_is_found_and_a_project_without_any_has_none() -> None:
    assert [found.name for found in discover_sources()] == ["shopify"]
    assert list(discover_sources("no_such_package")) == []


def test_a_source_imported_elsewhere_is_still_one_and_two_of_one_name_are_refused(package: Path) -> None:
    (package / "crm.py").write_text(SOURCE)
    (package / "more.py").write_text("from hooks_of_a_test.crm import crm\n")
    assert [found.name for found in discover_sources(package.name)] == ["crm"]
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[name]
    (package / "other.py").write_text(SOURCE)
    with pytest.raises(JourneyDefinitionError, match=r"other: source 'crm' is in hooks_of_a_test\.crm already"):
        discover_sources(package.name)


def test_a_name_that_is_no_part_of_an_address_and_a_topic_mapped_twice_are_refused() -> None:
    for name in ("", "CRM", "a/b", "x" * 41):
        with pytest.raises(JourneyDefinitionError, match="lower-case letters"):
            source(name)
    crm = source()
    crm.on("deal.won")(lambda _: [])
    with pytest.raises(JourneyDefinitionError, match=r"maps 'deal\.won' twice"):
        crm.on("deal.won")(lambda _: [])


def test_secrets_are_looked_at_before_anything_is_served() -> None:
    sources = Sources([source(), Source("std", signed=StandardWebhooks(), topic=body("type"))])
    sources.check({"crm": ["sixteen characters"], "std": ["whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQ="]})
    for wrong, said in (
        ({"crmm": ["sixteen characters"]}, "no source 'crmm'.*Known: crm, std"),
        ({"crm": ["hush"]}, "'crm' has less than 16 characters"),
        ({"std": ["hush hush hush hush hush"]}, "'std' is not whsec_"),
    ):
        with pytest.raises(ConfigurationError, match=said) as refused:
            sources.check(wrong)
        assert "hush" not in str(refused.value)


def test_what_counts_once_is_what_happened_or_else_the_delivery() -> None:
    crm = source()
    call = crm.call({"x-id": "d-1"}, {"type": "deal.won"}, b"{}")
    who = Who(email="a@example.com")
    assert crm.message_id(call, HookEvent("x", who), 1) == "hook/crm/d-1/1"
    assert crm.message_id(call, HookEvent("x", who, once="deal/7/won"), 1) == "hook/crm/deal/7/won"
    long = crm.message_id(call, HookEvent("x", who, once="d" * 500), 0)
    assert len(long) <= LONGEST_ID
    assert long != crm.message_id(call, HookEvent("x", who, once="d" * 501), 0)
    without = crm.call({}, {"type": "deal.won"}, b"the same body")
    assert without.id == crm.call({}, {"type": "deal.won"}, b"the same body").id != call.id


def test_a_call_reads_what_is_there_and_nothing_else() -> None:
    call = Call("t", {}, {"a": {"b": " x "}, "n": 7, "yes": True, "at": "2026-01-01T09:00:00+09:00", "l": [1]}, "id")
    assert (call.text("a.b"), call.text("n"), call.text("yes"), call.text("l"), call.text("a.b.c")) == (
        "x", "7", None, None, None,
    )  # fmt: skip
    at = call.instant("at")
    assert at is not None
    assert at.isoformat() == "2026-01-01T09:00:00+09:00"
    assert call.instant("n") is call.instant("nowhere") is None


def test_what_no_database_keeps_is_mended() -> None:
    deep: list[object] = []
    for _ in range(40):
        deep = [deep]
    mended = kept({"a\x00": "b\x00\ud800", "n": 2**70, "inf": float("inf"), "deep": deep, "b": True})  # type: ignore[dict-item] # as JSON brings it
    assert isinstance(mended, dict)
    assert (mended["a"], mended["n"], mended["inf"], mended["b"]) == ("b\ufffd", str(2**70), None, True)
    assert str(mended["deep"]).count("[") < 20
