"""The short way gives what the plain way gives, whoever the person is and whatever the template does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabiji.channels.email.facts import Facts
from tabiji.channels.email.filling import ENDS, OPENS
from tabiji.channels.email.moulds import mould_of
from tabiji.channels.email.render import Rendered, Renderer
from tabiji.errors import TemplateError

LAYOUT = """<!doctype html><html lang="{{ lang }}" dir="{{ dir }}"><head><meta charset="utf-8">
<title>{% block subject %}{% endblock %}</title>
<style>p { color: red } .b { color: {{ brand.light.accent }} } @media (max-width: 1px) { p { color: blue } }</style>
</head><body><div class="preheader">{% block preheader %}for {{ contact.name }}{% endblock %}</div>
<div class="card">{% block body %}{% endblock %}</div>
<p>{{ sender }} {% if way_out is defined %}<a href="{{ way_out }}">out</a>{% endif %}</p></body></html>"""

BODIES = {
    "words": "<p>Hi {{ contact.name }},</p><p>{{ contact.note }} and {{ contact.name }}.</p>",
    "links": '<a href="https://a.example/?q={{ contact.name }}">q</a> '
    '<a href="{{ contact.site }}">{{ contact.site }}</a>',
    "attributes": '<img src="https://a.example/x.png" alt="{{ contact.name }}"><p title="{{ contact.note }}">x</p>',
    "conditions": "{% if contact.vip %}<h1>{{ contact.name }}</h1>{% else %}"
    "<ul><li>{{ contact.note }}</li></ul>{% endif %}",
    "loops": "<ol>{% for one in contact.things %}<li>{{ loop.index }}: {{ one }}</li>{% endfor %}</ol>",
    "tables": "<table><tr><td>{{ contact.name }}</td><td>{{ contact.note }}</td></tr></table>",
    "classes": '<p class="{{ contact.name }} b">{{ contact.note }}</p>',
    "inside a tag": "<p {{ contact.name }}>x</p>",
    "a tag": "<{{ contact.name }}>x",
    "a comment": "<!-- {{ contact.name }} --><p>x</p>",
    "a style": "<p style='color: {{ contact.name }}'>x</p>",
    "preformatted": "<pre>{{ contact.note }}\n  x</pre>",
    "filters": "<p>{{ contact.name | upper }} {{ contact.name | length }} {{ contact.note | truncate(5) }}</p>",
    "a filtered block": "<p>{% filter upper %}{{ contact.name }}{% endfilter %}</p>",
    "a kept text": "{% set x %}{{ contact.name }}{% endset %}<p>{{ x | length }} {{ x }}</p>",
    "a plain set": "{% set x = contact.name ~ '!' %}<p>{{ x }} {{ x | length }}</p>",
    "a macro": "{% macro b(x) %}<b>{{ x }}</b>{% endmacro %}<p>{{ b(contact.name) }}</p>",
    "a measured macro": "{% macro b(x) %}{{ x }}{% endmacro %}<p>{{ b(contact.name) | length }}</p>",
    "a macro kept": "{% macro b(x) %}{{ x }}{% endmacro %}{% set c = b(contact.name) %}<p>{{ c | upper }}</p>",
    "safe": "<p>{{ contact.note | safe }}</p>",
    "entities": "<p>&{{ contact.name }}; &amp;{{ contact.note }}</p>",
    "numbers": "<p>{{ contact.age }} {{ contact.age | number }} {{ contact.age | money }}</p>",
    "selected": "<style>p[title] { color: blue } a[href*='x'] { color: green }</style>"
    '<p title="{{ contact.name }}">t</p><a href="https://x.example/{{ contact.name }}">x</a>',
    "raw": "<textarea>{{ contact.name }}</textarea><noscript>{{ contact.note }}</noscript>",
}

TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "花子",
            "山田　太郎",
            "  x ",
            "a\nb",
            "<b>x</b>",
            "Tom & Jerry",
            "&lt;",
            "&copy",
            "مرحبا",
            "\u202eabc",
            'O\'Hara "Q"',
            "",
        ]
    ),
    st.text(alphabet="ab <>&\"' \n\u3000\xa0é花🎉\u200d", max_size=10),
)
SITES = st.one_of(
    TEXTS,
    st.sampled_from(
        ["https://b.example/?x=1&copy=2", "javascript:alert(1)", " java\tscript:x", "/path", "mailto:a@b.example"]
    ),
)
PEOPLE = st.fixed_dictionaries(
    {
        "name": TEXTS,
        "note": TEXTS,
        "site": SITES,
        "vip": st.booleans(),
        "things": st.lists(TEXTS, max_size=3),
        "age": st.integers(0, 10**7),
    }
)


def context(person: dict[str, object]) -> dict[str, object]:
    # Not Facts: what is blank is to be filled in too.
    return {"contact": {"locale": "de", **person}, "sender": "tabiji", "way_out": "https://a.example/u/x"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mails") / "email"
    folder.mkdir()
    (folder / "_layout.html").write_text(LAYOUT, encoding="utf-8")
    for name, body in BODIES.items():
        text = (
            '{% extends "_layout.html" %}{% block subject %}S {{ contact.name }}{% endblock %}{% block body %}' + body
        )
        (folder / f"{name}.html").write_text(text + "{% endblock %}", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[Renderer, Renderer]:
    return Renderer(folder), Renderer(folder, plain=True)


@pytest.mark.parametrize("name", BODIES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(PEOPLE, min_size=1, max_size=4))
def test_it_gives_what_the_plain_way_gives(
    name: str, both: tuple[Renderer, Renderer], people: list[dict[str, object]]
) -> None:
    short, plain = both
    for person in people:
        for _ in range(2):  # the first of a kind goes the plain way, the second makes the mould
            assert made(short, name, person) == made(plain, name, person)


def made(renderer: Renderer, name: str, person: dict[str, object]) -> Rendered | str:
    try:
        return renderer.render(name, context(person))
    except TemplateError as error:
        return str(error)


@pytest.mark.parametrize(
    "name", ["words", "links", "attributes", "conditions", "loops", "a plain set", "a macro", "numbers"]
)
def test_common_templates_have_a_mould(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Renderer(folder)
    person: dict[str, Any] = {
        "name": "花子",
        "note": "a note",
        "site": "https://b.example",
        "vip": True,
        "things": ["x"],
        "age": 7,
    }
    for _ in range(2):
        renderer.render(name, context(person))
    monkeypatch.setattr("tabiji.channels.email.moulds.finish", not_again)
    assert "O'Hara" in str(
        renderer.render(name, context({**person, "name": "O'Hara", "note": "O'Hara", "things": ["O'Hara"]}))
    )


def not_again(*_: object) -> Rendered:
    pytest.fail("this went the plain way")


@pytest.mark.parametrize(
    "skeleton", ["<title>x</title><p>{0}", "<title>x</title><p>{0}{0}", "<title>x</title>{1}{0}{2}"]
)
def test_a_skeleton_that_does_not_fit_its_values_has_no_mould(skeleton: str) -> None:
    slots = [f"{OPENS}{number}{ENDS}" for number in range(3)]
    assert mould_of(skeleton.format(*slots), 2) is None


def test_a_value_that_looks_like_a_slot_stays_a_value(both: tuple[Renderer, Renderer]) -> None:
    person: dict[str, object] = {"name": f"{OPENS}1{ENDS}", "note": "secret"}
    for renderer in both:
        for _ in range(3):
            assert renderer.render("words", context(person)).html.count("secret") == 1


def test_a_changed_parent_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "email"
    folder.mkdir()
    (folder / "_layout.html").write_text(LAYOUT)
    body = "{% block body %}{{ super() }}{{ n }}{% endblock %}"
    (folder / "x.html").write_text('{% extends "_layout.html" %}{% block subject %}S{% endblock %}' + body)
    renderer = Renderer(folder)
    for _ in range(3):
        renderer.render("x", {"contact": Facts("contact", {"name": "a"}), "sender": "s", "n": "wide"})
    changed = LAYOUT.replace("{% block body %}", "{% block body %}{% filter upper %}{{ n }}{% endfilter %}")
    (folder / "_layout.html").write_text(changed + " ")
    assert "WIDE" in renderer.render("x", {"contact": Facts("contact", {"name": "a"}), "sender": "s", "n": "wide"}).html
