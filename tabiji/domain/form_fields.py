"""What a form can ask, one class a kind. Each reads what a visitor has typed, or says in words what is wrong with it.

Email("email", "E-mail", required=True)
Text("first_name", "First name", autocomplete="given-name")
Tel("phone", "Telephone")                              full-width digits are read too
Number("seats", "How many?", least=1, whole=True)
Choice("role", "You are", ("engineer", "marketer"))    one of these
Several("topics", "About", {"a": "The API", "b": "Prices"})
Textarea("message", "Your question", event=True)
Checkbox("callback", "Call me back")
Hidden("source", value="spring fair")                  or what the page's address says of that name
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import JsonValue

from tabiji.domain.form_words import Words
from tabiji.errors import JourneyDefinitionError

Kind = Literal["text", "email", "tel", "number", "choice", "several", "textarea", "checkbox", "hidden"]
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED = frozenset(("anonymous_id", "timezone", "locale", "nonce", "website", "who", "page", "form", "done", "file"))
"""Names that mean something of our own in a form, or in the event it makes."""
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\uff0d\uff70"), "-")
"""Whatever a Japanese keyboard puts between the digits of a telephone number."""
_PHONE = re.compile(r"\+?[0-9][0-9 ().\-]{5,23}")
YES = frozenset(("yes", "on", "true", "1"))
FEW = 5
"""So many options are shown at once; more of them drop down."""


class Wrong(ValueError):
    """What is wrong with an answer, in words for the visitor."""


@dataclass(frozen=True)
class Field:
    """One thing a form asks.

    Attributes:
        name: Of the contact's attribute it fills, and of the event's property.
        label: What visitors read.
        required: Whether the form can be sent without it.
        hint: A line of help under the label.
        autocomplete: What browsers may fill in, as HTML says it: `given-name`, `organization`.
        event: The answer is a property of `Form Submitted` too.
        attribute: The answer is kept with the contact.
        again: Asked although the answer is known; for what may change, such as a question.
    """

    kind: ClassVar[Kind]

    name: str
    label: str = ""
    _: KW_ONLY
    required: bool = False
    hint: str = ""
    autocomplete: str = ""
    event: bool = False
    attribute: bool = True
    again: bool = False

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise self.refused("its name must be lower-case letters, digits and underscores, e.g. 'first_name'")
        if self.name in RESERVED or self.name.startswith(("utm_", "consent")):
            raise self.refused("that name has a meaning of its own in forms. Take another")
        if not self.label and self.kind != "hidden":
            raise self.refused("it has no label, so nobody knows what it asks")
        if not (self.event or self.attribute):
            raise self.refused("its answer goes nowhere. Leave attribute=True, or set event=True")

    @property
    def visible(self) -> bool:
        """Whether a visitor sees it."""
        return self.kind != "hidden"

    def read(self, given: Sequence[str], words: Words) -> JsonValue:
        """The answer; None where there is none.

        Args:
            given: Everything that was sent under the field's name.
            words: Of the form's language.

        Raises:
            Wrong: In words for the visitor.
        """
        text = given[-1].strip() if given else ""
        if not text:
            return None
        if unkeepable(text):
            raise self.wrong(words.unreadable)
        return self._read(text, words)

    def _read(self, text: str, words: Words) -> JsonValue:
        raise NotImplementedError

    def wrong(self, words: str, **more: object) -> Wrong:
        """Something of this field is wrong."""
        return Wrong(words.format(label=self.label, **more))

    def refused(self, problem: str) -> JourneyDefinitionError:
        """The declaration itself is wrong."""
        return JourneyDefinitionError(f"{type(self).__name__}({self.name!r}): {problem}.")


def unkeepable(text: str) -> bool:
    """Whether a database cannot keep it."""
    return "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text)


@dataclass(frozen=True)
class Text(Field):
    """One line."""

    kind: ClassVar[Kind] = "text"
    _: KW_ONLY
    longest: int = 200

    def _read(self, text: str, words: Words) -> JsonValue:
        if len(text) > self.longest:
            raise self.wrong(words.too_long, longest=self.longest)
        return text


@dataclass(frozen=True)
class Textarea(Text):
    """Several lines."""

    kind: ClassVar[Kind] = "textarea"
    _: KW_ONLY
    longest: int = 2000

    def _read(self, text: str, words: Words) -> JsonValue:
        return super()._read(text.replace("\r\n", "\n"), words)


@dataclass(frozen=True)
class Email(Text):
    """An e-mail address. The one named `email` says who the visitor is."""

    kind: ClassVar[Kind] = "email"
    name: str = "email"
    label: str = "E-mail"
    _: KW_ONLY
    longest: int = 254
    autocomplete: str = "email"

    def _read(self, text: str, words: Words) -> JsonValue:
        # Japanese keyboards leave letters and the at-sign full-width.
        text = unicodedata.normalize("NFKC", str(super()._read(text, words)))
        try:
            normalized = validate_email(text, check_deliverability=False).normalized.lower()
        except EmailNotValidError:
            raise self.wrong(words.no_address) from None
        if len(normalized) > self.longest:
            raise self.wrong(words.too_long, longest=self.longest)
        return normalized


@dataclass(frozen=True)
class Tel(Field):
    """A telephone number, kept as it was typed but for full-width digits and dashes."""

    kind: ClassVar[Kind] = "tel"
    autocomplete: str = "tel"
    longest: ClassVar[int] = 25

    def _read(self, text: str, words: Words) -> JsonValue:
        number = unicodedata.normalize("NFKC", text.translate(_DASHES)).translate(_DASHES)
        if not _PHONE.fullmatch(number) or not 7 <= sum(one.isdigit() for one in number) <= 15:
            raise self.wrong(words.no_phone)
        return number


@dataclass(frozen=True)
class Number(Field):
    """A number. Full-width digits and thousands' commas are read too."""

    kind: ClassVar[Kind] = "number"
    _: KW_ONLY
    least: float | None = None
    most: float | None = None
    whole: bool = False
    longest: ClassVar[int] = 30

    def _read(self, text: str, words: Words) -> JsonValue:
        plain = unicodedata.normalize("NFKC", text.translate(_DASHES)).translate(_DASHES).replace(",", "")
        try:
            value = float(plain) if len(plain) <= self.longest else math.nan
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or abs(value) >= 1e15:
            raise self.wrong(words.no_number)
        if self.whole and not value.is_integer():
            raise self.wrong(words.no_whole_number)
        if self.least is not None and value < self.least:
            raise self.wrong(words.too_small, least=f"{self.least:g}")
        if self.most is not None and value > self.most:
            raise self.wrong(words.too_large, most=f"{self.most:g}")
        return int(value) if value.is_integer() else value


@dataclass(frozen=True)
class Choice(Field):
    """One of several answers: values alone, or each value with what visitors read."""

    kind: ClassVar[Kind] = "choice"
    options: Sequence[str] | Mapping[str, str] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.options, str) or not self.options:
            raise self.refused("it offers no answers. Name them: ('one', 'other'), or {'one': 'What people read'}")
        if len(set(self.options)) != len(self.options):
            raise self.refused("it offers one answer twice")
        if bad := [value for value in self.options if not value or value != value.strip()]:
            raise self.refused(f"{bad[0]!r} is no answer: it is empty, or has blanks around it")

    @property
    def offered(self) -> Mapping[str, str]:
        """Each value with what visitors read."""
        return self.options if isinstance(self.options, Mapping) else {value: value for value in self.options}

    @property
    def few(self) -> bool:
        """Whether all are shown at once."""
        return len(self.options) <= FEW

    def _read(self, text: str, words: Words) -> JsonValue:
        if text not in self.options:
            raise self.wrong(words.no_option)
        return text


@dataclass(frozen=True)
class Several(Choice):
    """Any of several answers, as a list in the order they are offered."""

    kind: ClassVar[Kind] = "several"

    def read(self, given: Sequence[str], words: Words) -> JsonValue:
        """See base class."""
        ticked = {one.strip() for one in given if one.strip()}
        if ticked - set(self.options):
            raise self.wrong(words.no_option)
        return [value for value in self.options if value in ticked] or None


@dataclass(frozen=True)
class Checkbox(Field):
    """A yes. It is never ticked beforehand, and for agreement there is `Consent`."""

    kind: ClassVar[Kind] = "checkbox"

    def read(self, given: Sequence[str], words: Words) -> JsonValue:
        """See base class."""
        return True if given and given[-1].strip().lower() in YES else None


@dataclass(frozen=True)
class Hidden(Text):
    """Nothing a visitor sees: what the page's address says under this name, else `value`."""

    kind: ClassVar[Kind] = "hidden"
    _: KW_ONLY
    value: str = ""
    event: bool = True
    attribute: bool = False
