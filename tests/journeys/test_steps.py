"""A step has one name, made from its place in the source."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from tabiji.errors import JourneyDefinitionError
from tabiji.journey.steps import step_table


def names(folder: Path, source: str) -> list[str]:
    file = folder / "sample.py"
    file.write_text(dedent(source), encoding="utf-8")
    return list(step_table(str(file)).values())


def test_steps_are_named_by_function_verb_and_subject(tmp_path: Path) -> None:
    assert names(
        tmp_path,
        """
        PRICING = on("Page Viewed")

        class J:
            async def steps(self):
                await self.send_email("a/b")
                await self.wait(days=2)
                await self.wait_for(PRICING, timeout=days(1))
                await self.wait_for(on("Demo Attended"), timeout=days(1))
                await self.adjust_score(+20, reason="x")

        async def nudge(traveller):
            await traveller.send_email("trial/nudge")
        """,
    ) == [
        "steps/send_email:a/b",
        "steps/wait:days=2",
        "steps/wait_for:PRICING",
        "steps/wait_for:Demo Attended",
        "steps/adjust_score:+20",
        "nudge/send_email:trial/nudge",
    ]


def test_a_step_with_a_name_of_its_own_needs_no_place(tmp_path: Path) -> None:
    assert names(tmp_path, "async def f(self):\n    await self.send_email(x(), step='mine')\n") == []


def test_the_same_step_twice_in_a_function_is_refused_with_line_and_remedy(tmp_path: Path) -> None:
    source = "async def f(self):\n    await self.wait(days=2)\n    await self.wait(days=2)\n"
    with pytest.raises(JourneyDefinitionError, match=r"sample\.py:3: .* line 2 too.*wait\(…, step='…'\)"):
        names(tmp_path, source)


@pytest.mark.parametrize("subject", ["template", "f'mail-{n}'", "pick()", "self.template", "names[0]"])
def test_a_computed_subject_needs_a_name(tmp_path: Path, subject: str) -> None:
    source = f"async def f(self, template, n, names):\n    await self.send_email({subject})\n"
    with pytest.raises(JourneyDefinitionError, match=r"sample\.py:2: .*computed.*step="):
        names(tmp_path, source)


def test_other_objects_may_have_methods_of_the_same_name(tmp_path: Path) -> None:
    assert names(tmp_path, "import asyncio\nasync def f(self):\n    await asyncio.wait([])\n    lock.wait()\n") == []


def test_chains_over_several_lines_are_found_where_the_call_ends(tmp_path: Path) -> None:
    source = "async def f(self):\n    await (\n        self\n        .send_email(\n            'a',\n        )\n    )\n"
    file = tmp_path / "sample.py"
    file.write_text(source, encoding="utf-8")
    assert step_table(str(file)) == {(6, 9): "f/send_email:a"}
