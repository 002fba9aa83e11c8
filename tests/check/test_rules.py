"""Each rule finds what it is for, and leaves alone what is right."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent, indent

import pytest

from tabiji.journey.check import Finding, Limits, Severity, check

HEAD = """
from __future__ import annotations
import asyncio
import random
import time
import uuid
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from temporalio import workflow
from tabiji import Journey, after, always, arm, content_test, days, hours, journey, on, tag_added

NAMES = ("a", "b")

class Arm(StrEnum):
    LEFT = "left"
    RIGHT = "right"

def number() -> int:
    return 1
"""
JOURNEY = '''
@journey(reentry=always)
class Sample(Journey):
    """A sample."""

    async def steps(self) -> None:
{steps}

    async def _helper(self) -> None:
        await self.tag("helped")
'''

FORM = """from tabiji.forms import Consent, Email, Form

F = Form(
    "f", title="F", fields=(Email(),), button="Go",
    consents=(Consent("newz", "Yes."),),
)
"""
TOPIC = """from tabiji.topics import Topic

NEWS = Topic("news", purpose="A mail a month.", version="1")
"""
Checks = Callable[..., list[Finding]]


@pytest.fixture
def checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checks]:
    """Checks a package of journeys, given by their files."""
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType] # pytest leaves the path open

    def run(source: str, **others: str) -> list[Finding]:
        package = tmp_path / "checked"
        package.mkdir()
        (package / "__init__.py").touch()
        for name, text in {"sample": source, **others}.items():
            (package / f"{name}.py").write_text(text, encoding="utf-8")
        mails = tmp_path / "email"
        mails.mkdir()
        (mails / "fine.html").write_text("<title>Hello</title>{{ contact.first_name | default('you') }}")
        (mails / "needs.html").write_text("<title>Hello</title>{{ contact.first_name }}")
        (mails / "arms.html").write_text(
            "<title>{% block subject %}Hello{% endblock %}</title>"
            "{% if variant == 'b' %}{% block subject_b scoped %}Hi{% endblock %}{% endif %}"
        )
        (mails / "broken.html").write_text("<title>Hello</title>{{ company.name }}")
        return check("checked", templates=mails, limits=Limits(mails=2))

    yield run
    for name in [name for name in sys.modules if name.partition(".")[0] == "checked"]:
        del sys.modules[name]


def steps(text: str) -> str:
    return HEAD + JOURNEY.format(steps=indent(dedent(text).strip(), " " * 8))


WRONG = {
    "bare-except": "try:\n    await self.tag('a')\nexcept:\n    pass",
    "catches-the-end": "try:\n    await self.tag('a')\nexcept (ValueError, BaseException):\n    pass",
    "verb-in-finally": "try:\n    await self.tag('a')\nfinally:\n    await self.tag('b')",
    "not-awaited": "self.tag('a')",
    "clock": "if datetime.now(timezone.utc).hour > 9:\n    await self.tag('a')",
    "chance": "if random.random() > 0.5:\n    await self.tag('a')",
    "unknown-verb": "await self.send_mail('fine')",
    "wrong-argument": "await self.wait(2)",
    "no-timeout": "limit = None\nawait self.wait_for(on('A'), timeout=limit)",
    "missing-arm": "match await self.split('s', Arm):\n    case Arm.LEFT:\n        await self.tag('a')",
    "loop-without-wait": "while True:\n    await self.adjust_score(1, reason='round')",
    "long-history": "for n in range(1000):\n    await self.tag('a')",
    "template": "await self.send_email('missing')",
    "same-arms": "await self.send_email('fine', test=content_test('t', ('a', 'b')))",
    "topic": "await self.send_email('fine', topic='newsleter')",
    "many-mails": "for name in ('a', 'b', 'c'):\n    await self.send_email('fine')",
}
RIGHT = {
    "bare-except": "try:\n    await self.tag('a')\nexcept Exception:\n    pass",
    "catches-the-end": "try:\n    await self.tag('a')\nexcept (ValueError, KeyError):\n    pass",
    "verb-in-finally": "try:\n    await self.tag('a')\nfinally:\n    self.done = True",
    "not-awaited": "later = self.tag('a')\nawait asyncio.gather(later, self._helper())\nnow = self.now()",
    "clock": "if self.now().hour > 9:\n    await self.tag('a')",
    "chance": "if await self.split('s', Arm) is Arm.LEFT:\n    await self.tag('a')",
    "unknown-verb": "self.mine = 1\nawait self.send_email('fine', step=f'{self.mine}')",
    "wrong-argument": "await self.wait(days(2))\nawait self.wait(hours=1.5)\nawait self.adjust_score(1, reason='a')",
    "no-timeout": "await self.wait_for(on('A'), timeout=days(number()))\nawait self.absent(on('B'), within=days(1))",
    "missing-arm": "match await self.split('s', Arm):\n    case Arm.LEFT | Arm.RIGHT:\n        await self.tag('a')",
    "loop-without-wait": "while True:\n    await self.wait(days=1)\n    await self.adjust_score(1, reason='round')",
    "long-history": "for n in range(1000):\n    await self.tag('a')\n    await self.wait(days=1)",
    "template": "await self.send_email('fine')",
    "same-arms": "await self.send_email('arms', test=content_test('t', ('a', 'b')))",
    "many-mails": "for name in ('a', 'b', 'c'):\n    await self.send_email('fine')\n    await self.wait(days=1)",
}


@pytest.mark.parametrize("code", WRONG)
def test_what_is_wrong_is_found_where_it_stands(checks: Checks, code: str) -> None:
    source = steps(WRONG[code])
    found = [one for one in checks(source) if one.code == code]
    assert found, f"{code} is not found"
    (finding,) = found
    assert finding.file == "checked/sample.py"
    first = source.splitlines().index("    async def steps(self) -> None:") + 1
    assert first < finding.line <= first + 4
    assert finding.remedy


@pytest.mark.parametrize("code", RIGHT)
def test_what_is_right_is_left_alone(checks: Checks, code: str) -> None:
    assert [one for one in checks(steps(RIGHT[code])) if one.code == code] == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("with contextlib.suppress(asyncio.CancelledError):\n    await self.tag('a')", "catches-the-end"),
        ("self._helper()", "not-awaited"),
        ("never = self.tag('a')", "not-awaited"),
        ("await asyncio.sleep(5)", "clock"),
        ("at = workflow.now()", "clock"),
        ("id = uuid.uuid4()", "chance"),
        ("await self.wait_for(on('A'), timeout=days(1) if self.trigger else None)", "no-timeout"),
        ("for name in ('fine', 'missing'):\n    await self.send_email(name, step=name)", "template"),
        ("await self.send_email('broken')", "template"),
        (
            "await self.send_email('fine', test=content_test('t', {'a': arm(), 'b': arm(template='missing')}))",
            "template",
        ),
        ("await self.wait_for(on('A'))", "no-timeout"),
    ],
)
def test_rules_know_the_other_ways_to_say_it(checks: Checks, text: str, code: str) -> None:
    found = checks(steps(f"import contextlib\n{text}"))
    assert code in {one.code for one in found if one.severity is Severity.ERROR}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("await self.wait(2)", "wait() cannot do with duration=2. Say days(2), hours(2) or minutes(2)."),
        ("await self.wait(days='2')", "wait() cannot do with days='2'. It takes float."),
        ("await self.wait_for(on('A'), timout=days(1))", "wait_for() takes no timout=. Did you mean timeout=?"),
        ("await self.adjust_score(5)", "adjust_score() needs reason. Say reason=…"),
        ("await self.tag('a', 'b')", "tag(): too many positional arguments. Look at what it takes."),
        (
            "await self.wait_for(on('A', then=Sample), timeout=days(1))",
            "wait_for() does not hand over: then= is for goals. "
            "Leave then= out, and say `await self.enter(…)` after it.",
        ),
    ],
)
def test_arguments_a_verb_does_not_take_are_named(checks: Checks, text: str, says: str) -> None:
    [found] = [one for one in checks(steps(text)) if one.code == "wrong-argument"]
    assert f"{found.message} {found.remedy}" == says


def test_a_form_that_asks_consent_for_a_topic_nobody_declared_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType] # pytest leaves the path open
    for name, text in {"journeys_here": "", "forms_here": FORM, "topics_here": TOPIC}.items():
        (tmp_path / f"{name}").mkdir()
        (tmp_path / name / "__init__.py").write_text(text, encoding="utf-8")

    [found] = check("journeys_here", forms="forms_here", topics="topics_here")

    assert (found.file.rpartition("/")[2], found.line, found.code) == ("__init__.py", 5, "topic")
    assert found.message == "no topic 'newz' is declared."
    assert found.remedy == "Did you mean 'news'?"


def test_a_template_is_named_that_may_be_meant(checks: Checks) -> None:
    [found] = checks(steps("await self.send_email('fin')"))
    assert found.remedy == "Did you mean 'fine'?"
    assert found.message.endswith(".")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("@journey(trigger='A')", "trigger 'A' is a text. Say trigger=on('A')."),
        ("@journey(name='A B')", "must be lower-case words"),
    ],
)
def test_a_declaration_that_is_refused_is_named_with_its_line(checks: Checks, wrong: str, says: str) -> None:
    source = steps("await self.wait(days=1)").replace("@journey(reentry=always)", wrong)
    [found] = checks(source)
    assert found.file.endswith("sample.py")
    assert found.line == source.splitlines().index(wrong) + 1
    assert says in found.message


def test_two_journeys_of_one_name_are_both_named_with_their_lines(checks: Checks) -> None:
    source = steps("await self.wait(days=1)")
    [found] = checks(source, twin=source)
    assert found.file.endswith("twin.py")
    assert found.line > 0
    assert "sample.py:" in found.message


def test_a_template_that_needs_what_not_everybody_has_is_a_warning(checks: Checks) -> None:
    (finding,) = checks(steps("await self.send_email('needs')"))
    assert (finding.code, finding.severity) == ("template", Severity.WARNING)
    assert "contact.first_name is not set" in finding.message


def test_state_that_a_signal_sets_is_a_warning(checks: Checks) -> None:
    handler = "\n    @workflow.signal\n    def approve(self) -> None:\n        self.approved = True\n"
    found = checks(steps("await self.tag('a')") + handler)
    assert [(one.code, one.severity) for one in found] == [("own-state", Severity.WARNING)]


EVENTS = """
from tabiji import Event

class Known(Event, name="Known"):
    size: int | None = None
"""


def test_events_nobody_sends_and_properties_they_do_not_have_are_named(checks: Checks) -> None:
    text = "await self.wait_for(on('Known'), timeout=days(1))\nawait self.wait_for(on('Knwon'), timeout=days(1))\n"
    text += "await self.wait_for(on('Known', colour='red') | on('Page Viewed'), timeout=days(1))"
    found = [one for one in checks(steps(text), events=EVENTS) if one.code == "unknown-event"]
    assert [one.line - found[0].line for one in found] == [0, 1]
    assert "'Knwon' is no declared event" in found[0].message
    assert "no property 'colour'" in found[1].message


def test_without_declared_events_no_name_is_unknown(checks: Checks) -> None:
    assert checks(steps("await self.wait_for(on('Whatever'), timeout=days(1))")) == []


CIRCLE = '''
@journey(trigger=tag_added("a"), reentry={reentry})
class First(Journey):
    """By a tag to a tag."""

    async def steps(self) -> None:
        {wait}
        await self.tag("b")


@journey(trigger=tag_added("b"), reentry=always)
class Second(Journey):
    """And back."""

    async def steps(self) -> None:
        await self.tag("a")
'''


@pytest.mark.parametrize(
    ("wait", "reentry", "found"),
    [("pass", "always", 1), ("await self.wait(days=1)", "always", 0), ("pass", "after(days=1)", 0)],
)
def test_journeys_that_lead_into_each_other_without_a_wait_are_found(
    checks: Checks, wait: str, reentry: str, found: int
) -> None:
    findings = checks(HEAD + CIRCLE.format(wait=wait, reentry=reentry))
    assert [one.code for one in findings] == ["circle"] * found
    if found:
        assert "first by 'tag b' starts second; second by 'tag a' starts first" in findings[0].message


def test_journeys_that_enter_each_other_are_found(checks: Checks) -> None:
    source = steps("from checked.sample import Sample\nawait self.enter(Sample)")
    assert [one.code for one in checks(source)] == ["circle"]


def test_a_file_python_cannot_read_is_named_with_its_line(checks: Checks) -> None:
    (finding,) = checks(steps("await self.tag('a')"), other="x = 1\ndef (:\n")
    assert (finding.code, finding.file, finding.line) == ("syntax", "checked/other.py", 2)


def test_a_journey_that_cannot_be_declared_is_named_with_its_line(checks: Checks) -> None:
    (finding,) = checks(steps("await self.tag('a')\nawait self.tag('a')"))
    assert (finding.code, finding.file) == ("cannot-load", "checked/sample.py")
    assert "stands on line" in finding.message


def test_a_line_may_say_that_it_means_what_it_does(checks: Checks) -> None:
    assert checks(steps("at = workflow.now()  # tabiji: ignore[clock] shown to people only")) == []
