"""Forms as data: what is accepted, what is refused, and in which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from forms.consultation import CONSULTATION
from tabiji import forms
from tabiji.domain.form_words import ENGLISH, JAPANESE
from tabiji.domain.forms import FormCatalog, read
from tabiji.errors import JourneyDefinitionError
from tabiji.forms import (
    Checkbox,
    Choice,
    Consent,
    Download,
    Email,
    Field,
    Form,
    Hidden,
    Number,
    Several,
    Tel,
    Text,
    Textarea,
)
from tabiji.journey.check import check
from tabiji.journey.discovery import discover_forms

FIELDS: dict[str, Field] = {
    "email": Email(required=True),
    "text": Text("text", "Text", longest=5),
    "tel": Tel("tel", "Tel"),
    "number": Number("number", "Number", least=1, most=100, whole=True),
    "price": Number("price", "Price"),
    "choice": Choice("choice", "Choice", ("a", "b")),
    "several": Several("several", "Several", {"x": "X", "y": "Y"}),
    "message": Textarea("message", "Message"),
    "yes": Checkbox("yes", "Yes"),
    "source": Hidden("source", value="fair", longest=10),
}
ACCEPTED: list[tuple[str, Sequence[str], JsonValue]] = [
    ("email", [" Hanako@Example.COM "], "hanako@example.com"),
    ("email", ["ｈａｎａｋｏ＠ｅｘａｍｐｌｅ．ｃｏｍ"], "hanako@example.com"),
    ("text", [" 花子 "], "花子"),
    ("text", ["  "], None),
    ("tel", ["０３−１２３４ー５６７８"], "03-1234-5678"),
    ("tel", ["+81 (0)3 1234 5678"], "+81 (0)3 1234 5678"),
    ("number", ["４２"], 42),
    ("number", ["42.0"], 42),
    ("price", ["１,０００．５"], 1000.5),
    ("price", ["-0.5"], -0.5),
    ("choice", ["b"], "b"),
    ("several", ["y", "x", "y"], ["x", "y"]),
    ("several", [""], None),
    ("message", ["one\r\ntwo"], "one\ntwo"),
    ("yes", ["on"], True),
    ("yes", ["no"], None),
    ("source", ["elsewhere"], "elsewhere"),
    ("source", ["much too long"], None),
]
REFUSED: list[tuple[str, str, str]] = [
    ("email", "hanako", "does not look like an e-mail address"),
    ("email", "a@b@c", "does not look like an e-mail address"),
    ("email", "x" * 300 + "@example.com", "at most 254"),
    ("text", "123456", "at most 5"),
    ("text", "a\x00b", "cannot keep"),
    ("text", "a\ud800", "cannot keep"),
    ("tel", "call me", "telephone"),
    ("tel", "123", "telephone"),
    ("tel", "1" * 30, "telephone"),
    ("number", "many", "must be a number"),
    ("number", "1.5", "whole"),
    ("number", "0", "at least 1"),
    ("number", "101", "at most 100"),
    ("price", "nan", "must be a number"),
    ("price", "1e999", "must be a number"),
    ("price", "9" * 25, "must be a number"),
    ("choice", "c", "one of the answers"),
    ("several", "z", "one of the answers"),
]


def form(**more: Any) -> Form:
    said: dict[str, Any] = {"title": "Sample", "fields": tuple(FIELDS.values()), "button": "Send", **more}
    return Form("sample", **said)


@pytest.mark.parametrize(("name", "sent", "answer"), ACCEPTED)
def test_answers_are_kept_in_one_form(name: str, sent: Sequence[str], answer: JsonValue) -> None:
    filled = read(form(), {"email": ["a@example.com"], name: sent})
    assert filled.errors == {}
    assert filled.answers.get(name) == answer or (name == "source" and answer is None)


@pytest.mark.parametrize(("name", "sent", "words"), REFUSED)
def test_what_is_wrong_is_said_in_words_at_its_field(name: str, sent: str, words: str) -> None:
    filled = read(form(), {"email": ["a@example.com"], name: [sent]})
    assert list(filled.errors) == [name]
    assert words in filled.errors[name]
    assert name not in filled.answers


def test_what_a_visitor_does_not_see_they_need_not_mend() -> None:
    filled = read(form(), {"email": ["a@example.com"], "source": ["much too long"]})
    assert (filled.errors, filled.answers.get("source")) == ({}, None)
    assert read(form(), {"email": ["a@example.com"]}).answers["source"] == "fair"


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.lists(st.text(max_size=40), max_size=3)))
def test_whatever_is_sent_is_an_answer_or_an_error_never_a_crash(sent: Mapping[str, Sequence[str]]) -> None:
    filled = read(form(), sent)
    assert not (filled.errors.keys() & filled.answers.keys())
    assert ("email" in filled.answers) != ("email" in filled.errors)


def test_a_form_in_japanese_speaks_japanese() -> None:
    filled = read(CONSULTATION, {"email": ["花子"], "phone": ["abc"]})
    assert filled.errors["last_name"] == "「姓」を入力してください。"
    assert "メールアドレスの形式" in filled.errors["email"]
    assert "電話番号の形式" in filled.errors["phone"]
    assert "個人情報の取り扱い" in filled.errors["consent-privacy"]


def test_every_language_has_the_same_blanks_to_fill() -> None:
    for name, english in vars(ENGLISH).items():
        blanks = {part.partition("}")[0] for part in english.split("{")[1:]}
        assert blanks == {part.partition("}")[0] for part in getattr(JAPANESE, name).split("{")[1:]}, name


def test_only_a_plain_yes_agrees_and_each_topic_for_itself() -> None:
    two = form(consents=(Consent("news", "News"), Consent("offers", "Offers")))
    sent = {"email": ["a@example.com"], "consent-news": ["yes"], "consent-offers": ["no"]}
    assert [one.topic for one in read(two, sent).agreed] == ["news"]


def test_terms_that_must_be_agreed_to_hold_the_form_back() -> None:
    terms = form(consents=(Consent("terms", "I agree to the terms.", required=True),))
    assert read(terms, {"email": ["a@example.com"]}).errors == {"consent": "Please tick: I agree to the terms."}


def test_another_wording_is_another_version_unless_it_has_a_name() -> None:
    assert Consent("a", "One").said != Consent("a", "Other").said
    assert Consent("a", "One", version="2026-11").said == "2026-11"


def test_what_is_known_is_left_out_and_the_next_questions_move_up() -> None:
    short = form(at_most=2)
    assert [one.name for one in short.asked() if one.visible] == ["email", "text"]
    assert [one.name for one in short.asked({"email", "tel"}) if one.visible] == ["text", "number"]
    assert [one.name for one in form(fields=(Email(), Text("q", "Q", again=True))).asked({"email", "q"})] == ["q"]


def test_a_required_question_that_was_not_asked_is_not_missed() -> None:
    two = form(fields=(Email(required=True), Text("company", "Company", required=True)), at_most=1)
    assert read(two, {"email": ["a@example.com"]}).errors == {}
    assert list(read(two, {"email": ["a@example.com"]}, asked=["email", "company"]).errors) == ["company"]


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("twice", {"fields": (Text("a", "A"), Text("a", "A"))}),
    ("asks nothing", {"fields": ()}),
    ("one topic", {"consents": (Consent("a", "A"), Consent("a", "B"))}),
    ("no words in 'fr'", {"lang": "fr"}),
    ("at_most", {"at_most": 0}),
    ("neither a path", {"redirect": "//evil.example"}),
    ("neither a path", {"redirect": "http://example.com/plain"}),
    ("neither a path", {"redirect": "javascript:alert(1)"}),
    ("neither a path", {"redirect": "/\\evil.example"}),
    ("neither a path", {"redirect": "thanks"}),
    ("no host", {"hosts": ("https://shop.example.com; script-src *",)}),
    ("no host", {"hosts": ("https://shop.example.com/path",)}),
]


@pytest.mark.parametrize(("words", "wrong"), BROKEN)
def test_a_form_that_cannot_work_is_refused_where_it_is_declared(words: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(JourneyDefinitionError, match=words):
        form(**wrong)


def test_fields_consents_and_files_that_cannot_work_are_refused_too() -> None:
    for make in (
        lambda: Form("With Blanks", title="T", fields=(Email(),), button="B"),
        lambda: Text("First Name", "First name"),
        lambda: Text("utm_source", "Source"),
        lambda: Text("nonce", "Nonce"),
        lambda: Text("a", ""),
        lambda: Text("a", "A", attribute=False),
        lambda: Choice("a", "A", ()),
        lambda: Choice("a", "A", "yes"),
        lambda: Choice("a", "A", ("x", "x")),
        lambda: Choice("a", "A", (" x",)),
        lambda: Consent("a topic", "Words"),
        lambda: Consent("a", " "),
        lambda: Consent("a", "A", version="x" * 41),
        lambda: Download("../secret"),
        lambda: Download("/etc/passwd"),
        lambda: Download("a\\b"),
        lambda: Download(""),
        lambda: Download("a.pdf", name="b/c.pdf"),
    ):
        with pytest.raises(JourneyDefinitionError):
            make()


def test_a_redirect_of_our_own_or_by_https_is_fine() -> None:
    for target in ("/p/thanks", "https://www.example.com/thanks?from=form"):
        assert form(redirect=target).redirect == target


def test_two_forms_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType] # pytest leaves the path open
    package = tmp_path / "twice"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in ("one", "other"):
        (package / f"{name}.py").write_text(
            "from tabiji.forms import Email, Form\nF = Form('same', title='T', fields=(Email(),), button='B')\n"
        )
    with pytest.raises(JourneyDefinitionError, match=r"twice\.other: form 'same' is in twice\.one already"):
        discover_forms("twice")
    with pytest.raises(JourneyDefinitionError, match="two forms are called 'sample'"):
        FormCatalog([form(), form()])


def test_without_a_folder_there_are_no_forms() -> None:
    assert list(discover_forms("not_there_at_all")) == []
    assert {one.name for one in discover_forms()} >= {"whitepaper", "newsletter", "webinar", "consultation"}


def test_a_journey_that_waits_for_a_form_nobody_declares_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType] # as above
    package = tmp_path / "waiting"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "sample.py").write_text(
        "from tabiji import Journey, days, form, journey, on, prop\n"
        'SENT = on("Form Submitted", prop("form").one_of("whitepaper", "nothing"))\n\n'
        '@journey(trigger=form("whitepapr"))\n'
        "class Sample(Journey):\n"
        '    """A sample."""\n\n'
        "    async def steps(self) -> None:\n"
        "        await self.wait_for(SENT, timeout=days(1))\n"
    )
    found = [one for one in check("waiting") if one.code == "unknown-form"]
    assert [(one.line, one.severity.value) for one in found] == [(4, "warning"), (9, "warning")]
    assert "'whitepapr'" in found[0].message
    assert "'nothing'" in found[1].message
    assert [one for one in check("waiting", forms="not_there_at_all") if one.code == "unknown-form"] == []


def test_what_declarations_are_written_with_is_there() -> None:
    assert [name for name in forms.__all__ if not hasattr(forms, name)] == []
