from __future__ import annotations

from pathlib import Path

import pytest

from tabiji.channels.email.render import Facts, Renderer
from tabiji.errors import TemplateError

ADDRESS = "hanako@example.jp"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "_layout.html").write_text(
        "<!doctype html><html><head><title>{% block subject %}{% endblock %}</title>"
        "<style>p { color: red } @media (max-width: 1px) { p { color: blue } }</style></head>"
        "<body><div class='preheader' style='display:none'>{% block preheader %}{% endblock %}</div>"
        "{% block body %}{% endblock %}</body></html>",
        encoding="utf-8",
    )
    return tmp_path


def write(folder: Path, body: str, subject: str = "Hello", name: str = "trial/welcome.html") -> Renderer:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        '{% extends "_layout.html" %}{% block subject %}' + subject + "{% endblock %}"
        "{% block preheader %}a foretaste{% endblock %}{% block body %}" + body + "{% endblock %}",
        encoding="utf-8",
    )
    return Renderer(folder)


def contact(**attributes: object) -> dict[str, object]:
    return {"contact": Facts("contact", {"email": ADDRESS, **attributes})}


def test_a_template_becomes_subject_html_and_text(folder: Path) -> None:
    renderer = write(
        folder,
        "<p>こんにちは、{{ contact.first_name }}さん</p><a href='https://a.example/資料'>資料</a>",
        subject="{{ contact.first_name }}さんへ: <資料> & more",
    )
    mail = renderer.render("trial/welcome", contact(first_name="花子"))

    assert mail.subject == "花子さんへ: <資料> & more"
    assert "こんにちは、花子さん" in mail.html
    assert mail.text == "こんにちは、花子さん\n\n[資料](https://a.example/資料)\n"


def test_styles_are_inlined_and_media_queries_kept(folder: Path) -> None:
    mail = write(folder, "<p>x</p>").render("trial/welcome", contact())
    assert '<p style="color: red;">' in mail.html
    assert "@media" in mail.html


def test_what_a_person_typed_cannot_become_markup(folder: Path) -> None:
    renderer = write(folder, "<p>{{ contact.first_name }}</p>", subject="For {{ contact.first_name }}")
    mail = renderer.render("trial/welcome", contact(first_name="<script>x</script>\r\nBcc: a@b.example"))
    assert "<script>" not in mail.html
    assert mail.subject == "For <script>x</script> Bcc: a@b.example"


def test_a_text_template_is_the_text_part(folder: Path) -> None:
    renderer = write(folder, "<p>x</p>")
    (folder / "trial/welcome.txt").write_text("Dear {{ contact.first_name }} & co", encoding="utf-8")
    assert renderer.render("trial/welcome", contact(first_name="O'Hara")).text == "Dear O'Hara & co"


def test_a_missing_attribute_may_have_a_default(folder: Path) -> None:
    renderer = write(folder, '<p>Hi {{ contact.first_name | default("there") }}</p>')
    for absent in ({}, {"first_name": None}, {"first_name": "  "}):
        assert "Hi there" in renderer.render("trial/welcome", contact(**absent)).html


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("{{ contact.first_name }}", "contact.first_name"),
        ("{{ contact['first_name'] }}", "contact.first_name"),
        ("{{ coupon }}", "coupon"),
        ("{% if contact.vip %}x{% endif %}", "contact.vip"),
        ("{{ contact.company.name }}", "contact.company"),
    ],
)
def test_a_missing_variable_is_named_with_its_template(folder: Path, body: str, name: str) -> None:
    with pytest.raises(TemplateError) as caught:
        write(folder, body).render("trial/welcome", contact())
    assert caught.value.template == "trial/welcome"
    assert f"trial/welcome.html, line 1: {name} is not set" in str(caught.value)


def test_a_missing_variable_of_a_text_template_is_named_too(folder: Path) -> None:
    renderer = write(folder, "<p>x</p>")
    (folder / "trial/welcome.txt").write_text("\n{{ contact.plan }}", encoding="utf-8")
    with pytest.raises(TemplateError, match=r"trial/welcome.txt, line 2: contact.plan is not set"):
        renderer.render("trial/welcome", contact())


@pytest.mark.parametrize(
    "body",
    [
        "{{ {}[contact.email] }}",
        "{{ contact[contact.email] }}",
        "{{ contact.email | int + [] }}",
        "{{ contact.email.nothing }}",
        "{{ contact.email.__class__ }}",
        "{{ contact.email() }}",
    ],
)
def test_an_error_quotes_nothing_that_is_known_about_the_person(folder: Path, body: str) -> None:
    with pytest.raises(TemplateError) as caught:
        write(folder, body).render("trial/welcome", contact())
    assert ADDRESS not in str(caught.value)
    assert "'trial/welcome'" in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("name", ["trial/nothing", "../secret", "/etc/passwd"])
def test_a_missing_template_is_named(folder: Path, name: str) -> None:
    (folder.parent / "secret.html").write_text("<title>x</title>")
    with pytest.raises(TemplateError, match="there is no file"):
        Renderer(folder).render(name, contact())


def test_a_broken_template_is_named_with_the_line(folder: Path) -> None:
    with pytest.raises(TemplateError, match=r"trial/welcome.html, line 1"):
        write(folder, "{% if %}").render("trial/welcome", contact())


def test_a_mail_without_a_subject_is_not_written(folder: Path) -> None:
    with pytest.raises(TemplateError, match="no subject"):
        write(folder, "x", subject="").render("trial/welcome", contact())


def test_a_saved_template_is_used_at_once(folder: Path) -> None:
    renderer = write(folder, "before")
    assert "before" in renderer.render("trial/welcome", contact()).text
    write(folder, "after, and longer")
    assert "after" in renderer.render("trial/welcome", contact()).text


def test_a_value_that_breaks_a_style_is_told_and_not_quoted(folder: Path) -> None:
    with pytest.raises(TemplateError, match="styles cannot be read") as caught:
        write(folder, "<p style='color: {{ contact.colour }}'>x</p>").render("trial/welcome", contact(colour=";0"))
    assert ";0" not in str(caught.value)
