"""A step has one name, made from its place in the source."""

from __future__ import annotations

import importlib
import os
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest

from tabiji.domain.orders import EnrollmentInput
from tabiji.errors import JourneyDefinitionError
from tabiji.journey.rehearsal import rehearse
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


def test_a_name_given_twice_in_a_function_is_refused(tmp_path: Path) -> None:
    source = "async def f(self):\n    await self.tag('a', step='mine')\n    await self.tag('b', step='mine')\n"
    with pytest.raises(JourneyDefinitionError, match=r"sample\.py:3: .*'mine'.* line 2 too"):
        names(tmp_path, source)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("wait_until(time(9))", "wait_until:time(9)"),
        ("wait_until(weekday('friday', time(13)))", "wait_until:weekday(friday, time(13))"),
        ("wait_until(contact_date('birthday', days=-3))", "wait_until:contact_date(birthday, days=-3)"),
        ("wait_for(on('A') | BOUGHT, timeout=days(1))", "wait_for:A | BOUGHT"),
        ("wait_for(on('A', prop('total') >= 100), timeout=days(1))", "wait_for:A"),
        ("wait_for(on('A').times(3, within=days(7)), timeout=days(1))", "wait_for:A 3 times"),
        ("wait_for(self.clicked(mail, link='/x'), timeout=days(1))", "wait_for:clicked mail /x"),
        ("wait_first({Key.PAID: BOUGHT, Key.LEFT: self.opened(mail)}, timeout=days(1))", "wait_first:PAID, LEFT"),
        ("wait_all(BOUGHT, on('A'), timeout=days(1))", "wait_all:BOUGHT & A"),
        ("wait_for(sequence(BOUGHT, on('A')), timeout=days(1))", "wait_for:BOUGHT then A"),
        ("wait(days=await self.value(PATIENCE))", "wait:days=PATIENCE"),
        ("split('nudge channel', Arm)", "split:nudge channel"),
        ("do('rate', {'x': 1})", "do:rate"),
        ("set_attribute('plan', 'pro')", "set_attribute:plan,pro"),
        ("set_attribute('plan', mail)", "set_attribute:plan"),
        ("set_stage(Stage.MQL)", "set_stage:Stage.MQL"),
        ("score()", "score"),
        ("now()", "now"),
        ("has_tag('vip')", "has_tag:vip"),
        ("approval('Send the \\n offer?', who='sales', timeout=days(2))", "approval:Send the offer?"),
        ("enter(Onboarding)", "enter:Onboarding"),
        ("tag('見込み客')", "tag:見込み客"),
    ],
)
def test_every_verb_says_what_it_is_about(tmp_path: Path, call: str, name: str) -> None:
    source = f"""
    from tabiji import date
    from enum import StrEnum
    from elsewhere import BOUGHT, Onboarding, PATIENCE, Arm, Key, Stage

    class J:
        async def steps(self):
            mail = None
            await self.{call}
    """
    assert f"steps/{name}" in names(tmp_path, source)


def test_what_is_not_a_journey_may_have_methods_named_as_verbs(tmp_path: Path) -> None:
    source = """
    class Words:
        def said(self, words):
            return self.join(words)

    async def helper(journey, group: TaskGroup, sep: str, nudge):
        group.create_task(nudge(journey))
        sep.join(journey.names)
    """
    assert names(tmp_path, source) == []


def test_names_stay_when_the_rest_of_the_file_changes(tmp_path: Path) -> None:
    journey = """
    class J:
        async def steps(self):
            await self.send_email("a")
            {here}
            if await self.wait_for(on("Bought"), timeout=days(1)):
                await self.tag("b")
    """
    before = names(tmp_path, journey.format(here="pass"))
    edited = "X = 1\n\n\nasync def other(self):\n    await self.tag('b')\n" + dedent(journey).format(
        here="x = [\n            1,\n        ]\n        await self.tag('c')"
    )
    after = names(tmp_path, edited)
    assert before == ["steps/send_email:a", "steps/wait_for:Bought", "steps/tag:b"]
    assert [name for name in after if name in before] == before
    assert set(after) - set(before) == {"other/tag:b", "steps/tag:c"}


def test_long_subjects_are_cut(tmp_path: Path) -> None:
    (name,) = names(tmp_path, f"async def f(self):\n    await self.notify_sales('{'word ' * 99}')\n")
    assert len(name) < 150


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


def test_an_edit_of_the_file_does_not_rename_steps_of_code_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker runs what it has loaded; its file may have been written anew under it."""
    source = dedent(
        """
        from tabiji import Journey, journey

        @journey()
        class Edited(Journey):
            async def steps(self) -> None:
                await self.send_email("a/b")
                await self.send_email("b/a")
        """
    )
    file = tmp_path / "edited_under_it.py"
    file.write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType] # py.path in its signature
    module = importlib.import_module("edited_under_it")
    file.write_text(source.replace("a/b", "x/x").replace("b/a", "a/b"), encoding="utf-8")
    os.utime(file, (1, 1))
    now = datetime.now(UTC)
    enrollment = EnrollmentInput(
        enrollment_id="e", contact_id="c", journey="edited", entered_at=now, entered_wall=now, entry_seq=0
    )
    assert rehearse(module.Edited, enrollment, now=now).next == ["steps/send_email:a/b"]
