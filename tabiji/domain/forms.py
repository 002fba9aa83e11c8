"""Forms as data: what is asked, what is agreed to, and what visitors read afterwards.

WHITEPAPER = Form(
    "whitepaper",
    title="Get the whitepaper",
    fields=(Email(required=True), Text("company", "Company")),
    consents=(Consent("marketing", "Yes, send me related offers."),),
    button="Send it",
    file=Download("whitepaper.pdf"),
)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import JsonValue

from tabiji.domain.form_fields import RESERVED, YES, Field, Hidden, Wrong
from tabiji.domain.form_words import WORDS, Words
from tabiji.errors import JourneyDefinitionError

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TOPIC = re.compile(r"[\w.-]{1,64}")
_HOST = re.compile(r"(https?://)?(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:([0-9]{1,5}|\*))?")


@dataclass(frozen=True)
class Consent:
    """One thing visitors may agree to, by a box that is never ticked beforehand.

    Attributes:
        topic: What they agree to be told about. Mails of a topic go to who has agreed to it.
        wording: What they read. It is kept as proof with its version: change it freely, the old proof stays.
        version: The wording's name in your files; absent: made from the wording, so that another has another.
        required: The form cannot be sent without it, such as terms of use. To mails people agree freely.
    """

    topic: str
    wording: str
    _: KW_ONLY
    version: str = ""
    required: bool = False

    def __post_init__(self) -> None:
        if not _TOPIC.fullmatch(self.topic):
            raise JourneyDefinitionError(f"Consent({self.topic!r}): a topic is letters, digits, '.', '_' and '-'.")
        if not self.wording.strip():
            raise JourneyDefinitionError(f"Consent({self.topic!r}): without a wording nobody knows what they agree to.")
        if len(self.version) > 40:
            raise JourneyDefinitionError(f"Consent({self.topic!r}): its version has more than 40 characters.")

    @property
    def said(self) -> str:
        """The version that is kept."""
        return self.version or hashlib.sha256(self.wording.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Download:
    """A file for who has filled in the form.

    Attributes:
        path: Below the folder `assets`.
        name: What it is called on the visitor's disk; any letters. Absent: as in the folder.
        lasts: How long the link on the thanks page is good.
    """

    path: str
    name: str = ""
    _: KW_ONLY
    lasts: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        steps = self.path.split("/")
        if not set(steps).isdisjoint(("", ".", "..")) or "\\" in self.path or not self.path.isprintable():
            raise JourneyDefinitionError(f"Download({self.path!r}): name a file below the folder assets.")
        if not self.shown.isprintable() or "/" in self.shown or "\\" in self.shown:
            raise JourneyDefinitionError(f"Download({self.path!r}): {self.name!r} is no name of a file.")
        if self.lasts <= timedelta(0):
            raise JourneyDefinitionError(f"Download({self.path!r}): lasts must be more than zero.")

    @property
    def shown(self) -> str:
        """What visitors read."""
        return self.name or self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Form:
    """One form: a page at `/f/{name}`, to embed from `/f/{name}.js`, and part of landing pages and pop-ups.

    Attributes:
        name: In addresses, and as the property `form` of `Form Submitted`.
        title: The page's heading.
        fields: What is asked, in this order.
        button: What the button says; it is what people do: "Send me the whitepaper".
        consents: What they may agree to, each with a box of its own.
        intro: A paragraph under the heading.
        thanks: Heading of the page afterwards, with `thanks_words` below.
        thanks_without_consent: Instead, for who agreed to nothing: nobody is promised a mail they do not get.
        lang: Language tag of the page.
        words: What the form says by itself; absent: in the language, where English or Japanese.
        redirect: Where people are sent instead of thanks: a path of ours (`/p/thanks`) or an https address.
        file: What they may download afterwards.
        at_most: So many questions at once, of those whose answer is not known; the next visit asks the next ones.
        hosts: Sites that may embed it: `https://www.example.com`, `https://*.example.com`.
    """

    name: str
    _: KW_ONLY
    title: str
    fields: tuple[Field, ...]
    button: str
    consents: tuple[Consent, ...] = ()
    intro: str = ""
    thanks: str = ""
    thanks_words: str = ""
    thanks_without_consent: str | None = None
    lang: str = "en"
    words: Words | None = None
    redirect: str | None = None
    file: Download | None = None
    at_most: int | None = None
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise JourneyDefinitionError(f"Form({self.name!r}): {problem}.")

    def _problems(self) -> Iterator[str]:
        if not _NAME.fullmatch(self.name) or len(self.name) > 60:
            yield "its name must be lower-case letters and digits with hyphens between, e.g. 'whitepaper'"
        names = [field.name for field in self.fields]
        if twice := {name for name in names if names.count(name) > 1}:
            yield f"it asks {sorted(twice)[0]!r} twice"
        topics = [consent.topic for consent in self.consents]
        if len(set(topics)) != len(topics):
            yield "two of its consents have one topic"
        if not any(field.visible for field in self.fields) and not self.consents:
            yield "it asks nothing"
        if self.words is None and self.lang.partition("-")[0] not in WORDS:
            yield f"there are no words in {self.lang!r}. Give it words=Words(…), or one of {sorted(WORDS)}"
        if self.at_most is not None and self.at_most < 1:
            yield "at_most must be 1 or more"
        if self.redirect is not None and not _leads_somewhere(self.redirect):
            yield f"redirect {self.redirect!r} is neither a path of ours (/p/thanks) nor an https address"
        if bad := [host for host in self.hosts if not _HOST.fullmatch(host)]:
            yield f"{bad[0]!r} is no host that may embed it, e.g. 'https://www.example.com'"

    @property
    def says(self) -> Words:
        """What it says by itself."""
        return self.words or WORDS[self.lang.partition("-")[0]]

    def box(self, consent: Consent) -> str:
        """Under which name a consent's box is sent."""
        return "consent" if len(self.consents) == 1 else f"consent-{consent.topic}"

    def asked(self, known: Iterable[str] = ()) -> tuple[Field, ...]:
        """The fields for somebody of whom these are known: what is known is left out, and never more than `at_most`."""
        known = frozenset(known)
        asked = [field for field in self.fields if field.visible and (field.again or field.name not in known)]
        shown = {field.name for field in asked[: self.at_most]}
        return tuple(field for field in self.fields if not field.visible or field.name in shown)


@dataclass(frozen=True)
class Filled:
    """What somebody has sent: answers by field, consents given, and what is wrong in words for the visitor."""

    answers: Mapping[str, JsonValue]
    agreed: tuple[Consent, ...]
    errors: Mapping[str, str] = field(default_factory=dict[str, str])


def read(form: Form, given: Mapping[str, Sequence[str]], asked: Iterable[str] | None = None) -> Filled:
    """Check a filled-in form.

    Args:
        form: Its declaration.
        given: What was sent, by name.
        asked: The fields that were on the page; only these are missed where they are required. Absent: those for
            somebody nobody knows.
    """
    wanted = frozenset(asked) if asked is not None else frozenset(field.name for field in form.asked())
    answers: dict[str, JsonValue] = {}
    errors: dict[str, str] = {}
    for one in form.fields:
        try:
            answer = one.read(given.get(one.name, ()), form.says)
        except Wrong as wrong:
            if one.visible:  # nobody can mend what they do not see: it is left out
                errors[one.name] = str(wrong)
            continue
        if answer is None and isinstance(one, Hidden) and one.value:
            answer = one.value
        if answer is not None:
            answers[one.name] = answer
        elif one.required and one.visible and one.name in wanted:
            errors[one.name] = str(one.wrong(form.says.required))
    agreed = tuple(one for one in form.consents if ticked(given.get(form.box(one), ())))
    for consent in form.consents:
        if consent.required and consent not in agreed:
            errors[form.box(consent)] = form.says.must_agree.format(label=consent.wording)
    return Filled(answers, agreed, errors)


def ticked(given: Sequence[str]) -> bool:
    """Only a plain yes is one: a program that says `consent=no` means no."""
    return bool(given) and given[-1].strip().lower() in YES


class FormCatalog:
    """Every form that is declared."""

    def __init__(self, forms: Iterable[Form] = ()) -> None:
        self._by_name: dict[str, Form] = {}
        for form in forms:
            known = self._by_name.setdefault(form.name, form)
            if known is not form:
                raise JourneyDefinitionError(f"two forms are called {form.name!r}. Rename one: it is their address.")

    def __iter__(self) -> Iterator[Form]:
        return iter(sorted(self._by_name.values(), key=lambda form: form.name))

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: str) -> Form | None:
        """A form by its name."""
        return self._by_name.get(name)


def _leads_somewhere(target: str) -> bool:
    if not target.isprintable() or " " in target or "\\" in target:
        return False
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    return not parts.scheme and not parts.netloc and target.startswith("/") and not target.startswith("//")


__all__ = ["RESERVED", "Consent", "Download", "Filled", "Form", "FormCatalog", "read", "ticked"]
