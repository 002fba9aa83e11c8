"""Forms as data. Each is a page at /f/{name}; what is sent is recorded as `Form Submitted` with the form's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from api.bodies import text_problem
from api.values import address


@dataclass(frozen=True)
class Words:
    """What every form says, in one language."""

    required: str = "Please fill in: {label}."
    too_long: str = "{label} may have at most {longest} characters."
    unreadable: str = "{label} contains characters we cannot keep."
    no_address: str = "{label} does not look like an e-mail address, for example name@example.com."
    please_check: str = "Please check:"
    optional: str = "optional"
    leave_empty: str = "Leave this empty"


@dataclass(frozen=True)
class Field:
    """One thing a form asks. Its name is the trait it fills."""

    name: str
    label: str
    type: Literal["text", "email"] = "text"
    required: bool = False
    longest: int = 200
    autocomplete: str = ""


@dataclass(frozen=True)
class Form:
    """One form. `wording` is what is kept as proof when somebody agrees: change it freely, the old proof stays."""

    name: str
    title: str
    fields: tuple[Field, ...]
    topic: str
    wording: str
    button: str
    thanks: str
    thanks_words: str
    thanks_without_consent: str
    """For who sent it and did not tick the box: nobody is promised a mail they did not agree to."""
    lang: str = "en"
    words: Words = Words()


WHITEPAPER = Form(
    name="whitepaper",
    title="Get the whitepaper",
    fields=(
        Field("email", "E-mail", type="email", required=True, longest=254, autocomplete="email"),
        Field("first_name", "First name", autocomplete="given-name"),
        Field("company", "Company", autocomplete="organization"),
    ),
    topic="marketing",
    wording=(
        "Yes, send me the whitepaper and mails with related offers. "
        "I can stop them at any time with the link in every mail."
    ),
    button="Send me the whitepaper",
    thanks="Thank you",
    thanks_words="The whitepaper is on its way to your inbox.",
    thanks_without_consent=(
        "You did not tick the box, so this form gives us no leave to write to you. "
        "If you want the whitepaper, go back and tick it."
    ),
)

FORMS: Mapping[str, Form] = {form.name: form for form in (WHITEPAPER,)}


def check(form: Form, given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The traits a filled-in form says, and by field what is wrong with it, in words for the visitor."""
    traits: dict[str, str] = {}
    errors: dict[str, str] = {}
    for field in form.fields:
        value = given.get(field.name, "").strip()
        problem = _problem(form.words, field, value)
        if problem is not None:
            errors[field.name] = problem.format(label=field.label, longest=field.longest)
        elif value:
            traits[field.name] = address(value) if field.type == "email" else value
    return traits, errors


def _problem(words: Words, field: Field, value: str) -> str | None:
    if not value:
        return words.required if field.required else None
    if len(value) > field.longest:
        return words.too_long
    if text_problem(value) is not None:
        return words.unreadable
    if field.type == "email":
        try:
            address(value)
        except ValueError:
            return words.no_address
    return None
