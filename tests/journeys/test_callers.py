"""A helper's step carries the functions that led to it, however the helper was called."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tabiji.errors import JourneyDefinitionError
from tabiji.journey.steps import name_steps, remember_callers, step_at_caller, undivided


class Traveller:
    """Verbs that do nothing but name their step, at the depth a journey's verbs do."""

    def __init__(self) -> None:
        self.path: list[tuple[str, int]] = []
        self.visits: Counter[str] = Counter()

    def tag(self, tag: str, *, step: str | None = None) -> Coroutine[Any, Any, None]:
        return self._pass(self.place("tag", step))

    def wait(self, *, days: int, step: str | None = None) -> Coroutine[Any, Any, None]:
        return self._pass(self.place("wait", step))

    def place(self, verb: str, step: str | None) -> str:
        return step or step_at_caller(3, verb)

    async def _pass(self, step: str) -> None:
        self.visits[step] += 1
        self.path.append((step, self.visits[step]))
        await asyncio.sleep(0)


Load = Callable[..., Any]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Writes a module, imports it and returns it."""
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType] # pytest leaves the path open
    names: list[str] = []

    def loaded(source: str, name: str = "authors_journey") -> Any:
        file = tmp_path / f"{name}.py"
        file.write_text("from __future__ import annotations\nimport asyncio\n" + dedent(source), encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        names.append(name)
        spec.loader.exec_module(module)
        return module

    yield loaded
    for name in names:
        sys.modules.pop(name, None)


async def steps(module: Any) -> list[str]:
    """What a run of its class J is made of. The second visit of a step has its number behind it."""
    journey = type("J", (module.J, Traveller), {})()
    run = asyncio.create_task(journey.steps())  # before: what this file does is not on the way
    remember_callers()
    await run
    return [step if visit == 1 else f"{step} {visit}" for step, visit in journey.path]


NUDGE = """
async def nudge(traveller):
    await traveller.tag("nudged")
"""


async def test_an_awaited_helper_has_its_caller_in_front(load: Load) -> None:
    source = """
    class J:
        async def steps(self):
            await nudge(self)
            await self.tag("own")
    """
    assert await steps(load(NUDGE + dedent(source))) == ["steps/nudge/tag:nudged", "steps/tag:own"]


async def test_helpers_of_helpers_and_after_a_real_suspension(load: Load) -> None:
    source = """
    async def outer(traveller):
        await asyncio.sleep(0)
        await inner(traveller)
        await traveller.tag("outer")

    async def inner(traveller):
        await asyncio.sleep(0)
        await nudge(traveller)

    class J:
        async def steps(self):
            await outer(self)
    """
    assert await steps(load(NUDGE + dedent(source))) == [
        "steps/outer/inner/nudge/tag:nudged",
        "steps/outer/tag:outer",
    ]


async def test_a_helper_in_another_file(load: Load) -> None:
    load(NUDGE, "authors_helpers")
    source = """
    from authors_helpers import nudge

    class J:
        async def steps(self):
            await nudge(self)
    """
    assert await steps(load(source)) == ["steps/nudge/tag:nudged"]


async def test_gathered_helpers_and_verbs_know_who_gathered_them(load: Load) -> None:
    source = """
    class J:
        async def steps(self):
            await asyncio.gather(self._left(), self._right(), self.tag("between"))

        async def _left(self):
            await asyncio.sleep(0)
            await nudge(self)

        async def _right(self):
            await self.tag("right")
    """
    assert sorted(await steps(load(NUDGE + dedent(source)))) == [
        "steps/_left/nudge/tag:nudged",
        "steps/_right/tag:right",
        "steps/tag:between",
    ]


async def test_tasks_of_a_group_know_the_helper_that_made_them(load: Load) -> None:
    source = """
    async def both(traveller):
        async with asyncio.TaskGroup() as group:
            group.create_task(nudge(traveller))
            late = asyncio.create_task(asyncio.wait_for(waits(traveller), 5))
        await late

    async def waits(traveller):
        await traveller.wait(days=2)

    class J:
        async def steps(self):
            await self.tag("first")
            await both(self)
    """
    assert sorted(await steps(load(NUDGE + dedent(source)))) == [
        "steps/both/nudge/tag:nudged",
        "steps/both/waits/wait:days=2",
        "steps/tag:first",
    ]


async def test_inherited_steps_and_what_super_is_asked_for(load: Load) -> None:
    source = """
    class Base:
        async def steps(self):
            await self.tag("inherited")

    class Middle(Base):
        pass

    class J(Middle):
        async def _extra(self):
            await self.tag("extra")

        async def steps(self):
            await super().steps()
            await self._extra()
    """
    assert await steps(load(source)) == ["steps/steps/tag:inherited", "steps/_extra/tag:extra"]


async def test_a_helper_called_twice_in_a_row_counts_visits(load: Load) -> None:
    source = """
    class J:
        async def steps(self):
            for _ in range(2):
                await nudge(self)
            await nudge(self)
    """
    assert await steps(load(NUDGE + dedent(source))) == [
        "steps/nudge/tag:nudged",
        "steps/nudge/tag:nudged 2",
        "steps/nudge/tag:nudged 3",
    ]


@pytest.mark.parametrize("turns", [(5, 1), (1, 5)])
async def test_a_helper_beside_itself_is_numbered_so_that_chance_does_not_count(
    load: Load, turns: tuple[int, int]
) -> None:
    """Which branch is first at a step may differ when recorded steps return at once: visits alone would not do."""
    source = """
    async def waits(traveller, turns):
        for _ in range(turns):
            await asyncio.sleep(0)
        await traveller.wait(days=1)

    class J:
        async def steps(self):
            await asyncio.gather(*[waits(self, turns) for turns in self.turns])
    """
    module = load(source)
    module.J.turns = turns
    assert sorted(await steps(module)) == ["steps/waits/wait:days=1", "steps/waits~2/wait:days=1"]


async def test_recursion_does_not_make_names_longer(load: Load) -> None:
    source = """
    async def again(traveller, left):
        await traveller.tag("again")
        if left:
            await again(traveller, left - 1)

    class J:
        async def steps(self):
            await again(self, 2)
    """
    assert await steps(load(source)) == [f"steps/again/tag:again{n}" for n in ("", " 2", " 3")]


async def test_comprehensions_lambdas_and_plain_functions(load: Load) -> None:
    source = """
    def plain(traveller):
        return traveller.tag("plain")

    async def call(make):
        await make()

    class J:
        async def steps(self):
            [await self.tag("listed") for _ in range(2)]
            await plain(self)
            await call(lambda: self.tag("late"))
    """
    assert await steps(load(source)) == [
        "steps/tag:listed",
        "steps/tag:listed 2",
        "steps/plain/tag:plain",
        "steps/call/steps/tag:late",
    ]


async def test_a_given_name_stands_alone(load: Load) -> None:
    source = """
    async def nudge(traveller):
        await traveller.tag("x", step="mine")

    class J:
        async def steps(self):
            await nudge(self)
    """
    assert await steps(load(source)) == ["mine"]


async def test_a_step_that_cannot_be_named_says_where_and_what_to_do(load: Load) -> None:
    source = """
    from functools import partial

    async def call(make):
        await make()

    class J:
        async def steps(self):
            await call(partial(self.tag, "x"))
    """
    with pytest.raises(JourneyDefinitionError, match=r"authors_journey\.py:7: .*step='…'"):
        await steps(load(source))


HELPERS = """
async def nudge(traveller, what):
    await traveller.tag(what)

async def fine(traveller):
    await traveller.tag("fine")
"""


@pytest.mark.parametrize(("helper", "refused"), [("nudge", True), ("fine", False)])
def test_imported_helpers_must_be_in_order_when_a_journey_is_declared(load: Load, helper: str, refused: bool) -> None:
    load(HELPERS, "authors_helpers")
    source = f"""
    from authors_helpers import {helper}

    class J:
        async def steps(self):
            await {helper}(self)
    """
    declared = load(source).J
    if refused:
        with pytest.raises(JourneyDefinitionError, match=r"authors_helpers\.py:5: .*computed"):
            name_steps(declared)
    else:
        name_steps(declared)


def test_numbers_of_tasks_are_left_out_on_the_map() -> None:
    assert undivided("steps/waits~2/other~13/tag:a~2/b") == "steps/waits/other/tag:a~2/b"
    assert undivided("steps/tag:x/y~2/") == "steps/tag:x/y~2/"
    assert undivided("mine~2") == "mine~2"
