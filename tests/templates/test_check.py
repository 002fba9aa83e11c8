"""`tabiji template check`: what is wrong is found, with file, line, person and remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tabiji.desk.mails.check import Checker, Problem, names_in
from tabiji.domain.topics import Topics
from tabiji.errors import ConfigurationError
from tabiji.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
LAYOUT = (ROOT / "templates" / "email" / "_layout.html").read_text(encoding="utf-8")


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    (folder / "email" / "trial").mkdir(parents=True)
    (folder / "email" / "_layout.html").write_text(LAYOUT, encoding="utf-8")
    return folder


def write(
    templates: Path, body: str, *, name: str = "trial/welcome.html", head: str = "", subject: str = "Hello"
) -> None:
    text = f'{{% extends "_layout.html" %}}{head}\n{{% block subject %}}{subject}{{% endblock %}}\n'
    text += f"{{% block body %}}\n{body}\n{{% endblock %}}\n"
    (templates / "email" / name).write_text(text, encoding="utf-8")


def checked(templates: Path, **sent: frozenset[str]) -> list[Problem]:
    topics = {name.replace("__", "/"): on for name, on in sent.items()}
    return Checker(Settings(templates=templates), Topics(), topics).check()


def test_the_templates_of_the_repository_pass() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tabiji.cli", "template", "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout) == (0, ""), said.stdout + said.stderr


def test_a_sound_template_has_nothing_to_be_found(templates: Path) -> None:
    write(
        templates,
        '<p>Hi {{ contact.first_name | default("there") }}</p><img src="https://a.example/x.png" alt="A map">',
    )
    assert checked(templates) == []


def test_a_variable_that_some_lack_is_named_with_line_and_person(templates: Path) -> None:
    write(templates, "<p>Hi {{ contact.first_name }}</p>")
    (problem,) = checked(templates)
    assert (problem.code, problem.line, problem.people) == ("variable", 4, ("nobody",))
    assert str(problem).startswith(
        f"{templates}/email/trial/welcome.html:4: error variable: contact.first_name is not set."
    )
    assert "default('…')" in problem.message
    assert "[for nobody]" in str(problem)
    assert "people.toml" in problem.remedy


def test_what_everybody_has_is_said_once_for_all(templates: Path) -> None:
    write(templates, "<p>{{ contact.plan }} {{ contact.since | date }}</p>")
    assert {problem.code for problem in checked(templates)} == {"variable"}
    (templates / "people.toml").write_text('[everybody]\nplan = "Team"\nsince = 2026-03-01\n')
    assert checked(templates) == []


def test_a_person_of_ones_own_is_looked_at_too(templates: Path) -> None:
    write(templates, "{% if contact is tagged('vip') %}{{ contact.table }}{% endif %}")
    (templates / "people.toml").write_text('[people.keiko]\nlocale = "ja"\ntags = ["vip"]\n')
    (problem,) = checked(templates)
    assert set(problem.people) == {"keiko", "member"}


def test_a_people_file_that_cannot_be_read_is_named(templates: Path) -> None:
    write(templates, "x")
    (templates / "people.toml").write_text("everybody = 3")
    with pytest.raises(ConfigurationError, match=r"people\.toml"):
        checked(templates)


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ('<img src="https://a.example/x.png">', "alt", "no alt text"),
        ('<a href="https://a.example"><img src="https://a.example/x.png" alt=""></a>', "alt", "all there is of a link"),
        ('<a href="javascript:alert(1)">x</a>', "link", "javascript"),
        ('<a href="/pricing">x</a>', "link", "/pricing"),
        ('<a href="#">here</a>', "link", "'here' leads nowhere"),
        ('<a href="{{ contact.site | default("x") }}">x</a>', "link", "leads nowhere"),
        ("<script>x</script>", "active", "<script>"),
        ("{{ 'long ' * 30000 }}", "size", "102 KB"),
        ("{% if %}", "template", "Expected an expression"),
        ("{{ contact.first_name | default('x') | date }}", "template", "is not a date"),
        ("{{ nothing }}", "variable", "nothing is not set"),
        ("{% if contact is in_segment('hot') %}x{% endif %}", "segment", "no segment 'hot'"),
    ],
)  # fmt: skip # a table
def test_what_is_wrong_is_found_where_it_stands(templates: Path, body: str, code: str, words: str) -> None:
    write(templates, body)
    (problem,) = [one for one in checked(templates) if one.code == code]
    assert words in problem.message
    assert problem.line == (1 if code in ("size", "segment") else 4)
    assert problem.file.endswith("trial/welcome.html")


def test_an_empty_subject_is_found(templates: Path) -> None:
    write(templates, "x", subject="{{ contact.first_name | default('') }}")
    (problem,) = checked(templates)
    assert (problem.code, problem.people) == ("subject", ("nobody",))


def test_a_mail_people_may_refuse_shows_the_way_out(templates: Path) -> None:
    head = "{% block footer %}no way{% endblock %}"
    write(templates, "x", head=head)
    assert [problem.code for problem in checked(templates)] == ["unsubscribe", "unsubscribe"]
    assert checked(templates, trial__welcome=frozenset({"transactional"})) == []
    both = checked(templates, trial__welcome=frozenset({"transactional", "marketing"}))
    assert {problem.code for problem in both} == {"unsubscribe"}


def test_a_template_may_say_that_it_is_for_the_team(templates: Path) -> None:
    head = '{% set audience = "team" %}{% block footer %}{% endblock %}'
    write(templates, "{{ reason }} {{ score }}", head=head)
    assert checked(templates) == []


def test_a_text_part_of_its_own_shows_the_way_out_too(templates: Path) -> None:
    write(templates, "x")
    (templates / "email/trial/welcome.txt").write_text("no way")
    (problem,) = checked(templates)
    assert "text part" in problem.message


def test_variants_and_languages_are_looked_at(templates: Path) -> None:
    write(templates, "x", head="{% block subject_warm %}{{ warmth }}{% endblock %}")
    write(templates, "{{ sprache }}", name="trial/welcome.de.html")
    (german, warm) = sorted(checked(templates), key=lambda problem: problem.message, reverse=True)
    assert "sprache" in warm.message or "sprache" in german.message
    found = {problem.message.split()[0]: problem for problem in (german, warm)}
    assert "ann as warm" in found["warmth"].people
    assert set(found["sprache"].people) == {"wolfe", "wolfe as warm"}
    assert names_in(templates / "email") == ["trial/welcome"]


def test_a_name_nobody_has_is_refused() -> None:
    checker = Checker(Settings(templates=ROOT / "templates"), Topics(), {})
    with pytest.raises(ConfigurationError, match="no template 'x/y'"):
        checker.check(["x/y"])
