"""From a template and what is known about a person to subject, preheader, HTML and text.

A template `whitepaper/welcome` is the file `whitepaper/welcome.html` of the templates folder; its subject is
the document's title. `whitepaper/welcome.txt` is the text part where it exists, else the HTML is told in text.
`whitepaper/welcome.ja.html` is for people who speak Japanese, where it exists.

facts      what templates read
formats    dates, numbers and amounts by a person's locale
notes      what a template's source says about it
filling    Jinja2, in a sandbox
finishing  the plain way from a filled template to a mail
moulds     the short way, for mails that differ in values alone
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import cast

from babel import Locale
from css_inline import InlineError
from markupsafe import Markup

from tabiji.brand import read_brand
from tabiji.channels.email.facts import Facts, Fixed
from tabiji.channels.email.filling import Filled, Templates, fill, told
from tabiji.channels.email.finishing import Rendered, finish
from tabiji.channels.email.formats import READER, Reader, is_right_to_left, locale_of, tag_of, zone_of
from tabiji.channels.email.moulds import Moulds
from tabiji.channels.email.notes import Notes
from tabiji.domain.brand import Brand, Colours
from tabiji.errors import TemplateError

__all__ = ["Facts", "Rendered", "Renderer"]


@dataclass(frozen=True)
class _About:
    """A template, for people of one locale."""

    stamp: tuple[int, int]
    file: str
    text: str | None
    moulds: bool
    language: Mapping[str, object]
    segments: frozenset[str]

    @property
    def compiled(self) -> int:
        return self.stamp[0]


class Renderer:
    """Templates of one folder. They are code of the team, yet run in a sandbox: values are not.

    One renderer is made for many mails: it remembers what they have in common. May be used by several threads.
    """

    def __init__(self, folder: Path, *, zone: tzinfo = UTC, plain: bool = False) -> None:
        """No template is read yet.

        Args:
            folder: Where they are. The brand kit is beside it.
            zone: Of people whose own is unknown.
            plain: Finish every mail for itself. The result is the same, and slow.

        Raises:
            ConfigurationError: The brand kit cannot be read.
        """
        self._folder = folder.resolve()
        self._zone = zone
        self.brand = read_brand(self._folder.parent)
        self._templates = Templates(self._folder, {"brand": brand_facts(self.brand)})
        self._moulds = None if plain else Moulds()
        self._known: dict[tuple[str, Locale], _About] = {}

    def render(self, template: str, context: Mapping[str, object], variant: str | None = None) -> Rendered:
        """Fill a template in.

        Args:
            template: Its name.
            context: What it may read. Of `contact`, `locale` and `timezone` decide on formats and language.
                `segments` says of each segment the template asks for (see `segments`) whether the person is in it.
            variant: The arm of a test of content. Templates read it as `variant`; a block `subject_warm` takes the
                place of the block `subject` for the variant `warm`.

        Raises:
            TemplateError: The template, or a variable it asks for, is not there. It names both, and
                quotes nothing that is known about the person.
        """
        reader = self._reader(context)
        while True:
            about = self._about(template, reader.locale)
            try:
                made = self._made(template, about, {**context, "variant": variant}, reader, variant)
            except InlineError:
                # Its message quotes the style, and a value may stand in it.
                raise TemplateError(template, "its styles cannot be read. Values do not belong into a style.") from None
            if about.compiled == self._templates.compiled:
                break
            # A file was saved meanwhile: what is known about it may have changed.
        if not made.subject:
            raise TemplateError(template, "it has no subject. Fill {% block subject %}, or give the page a <title>.")
        return made

    def _made(
        self, template: str, about: _About, context: dict[str, object], reader: Reader, variant: str | None
    ) -> Rendered:
        context.update(about.language)
        text = None
        if about.text is not None:
            reader.slots = None
            text = self._fill(template, about.text, context, reader, variant)
        if self._moulds is None or not about.moulds:
            reader.slots = None
            return finish(self._fill(template, about.file, context, reader, variant), text)
        reader.slots = slots = list[str]()
        return self._moulds.finish(Filled(self._fill(template, about.file, context, reader, variant), slots), text)

    def segments(self, template: str) -> frozenset[str]:
        """Segments it asks for with `contact is in_segment("…")`: they are looked up before it is rendered.

        Raises:
            TemplateError: It is not there or broken.
        """
        return self._about(template, locale_of(self.brand.locale)).segments

    def notes(self, template: str) -> list[Notes]:
        """What the sources of a template say of it, its own first, then what it extends and includes.

        Raises:
            TemplateError: It is not there or broken.
        """
        try:
            self._templates.get_template(f"{template}.html")
            return [one for one in self._templates.notes_of(f"{template}.html") if one is not None]
        except Exception as error:
            raise told(error, template, f"{template}.html", self._folder) from None

    def _reader(self, context: Mapping[str, object]) -> Reader:
        contact = _mapping(context.get("contact"))
        return Reader(
            locale=locale_of(_text_or_none(contact.get("locale")), self.brand.locale),
            zone=zone_of(_text_or_none(contact.get("timezone")), self._zone),
            currency=self.brand.currency,
            segments={name: bool(inside) for name, inside in _mapping(context.get("segments")).items()},
        )

    def _about(self, template: str, locale: Locale) -> _About:
        """What a template is for somebody of this locale: looked up again when a file came, went or was changed."""
        stamp = (self._templates.compiled, self._templates.touched(template))
        if (known := self._known.get((template, locale))) is not None and known.stamp == stamp:
            return known
        try:
            found = self._read(template, locale)
        except Exception as error:
            raise told(error, template, f"{template}.html", self._folder) from None
        self._known[template, locale] = found
        return found

    def _read(self, template: str, locale: Locale) -> _About:
        touched = self._templates.touched(template)
        own, file = f"{template}.{locale.language}.html", f"{template}.html"
        there = [text for text in (f"{template}.{locale.language}.txt", f"{template}.txt") if self._templates.has(text)]
        translated = self._templates.has(own)
        file = own if translated else file
        notes = list(self._templates.notes_of(file))
        spoken = {word for one in notes if one is not None for word in one.languages}
        # An English mail stays English for somebody who reads Arabic: `lang` and `dir` are of the words.
        written_in = locale if translated or locale.language in spoken else locale_of(self.brand.locale)
        return _About(
            stamp=(self._templates.compiled, touched),
            file=file,
            text=there[0] if there else None,
            moulds=all(one is not None and one.moulds for one in notes),
            segments=frozenset(segment for one in notes if one is not None for segment in one.segments),
            language={
                "language": Fixed(locale.language),
                "lang": Fixed(tag_of(written_in)),
                "dir": Fixed("rtl" if is_right_to_left(written_in) else "ltr"),
            },
        )

    def _fill(
        self, template: str, file: str, context: Mapping[str, object], reader: Reader, variant: str | None
    ) -> str:
        token = READER.set(reader)
        try:
            return fill(self._templates, file, context, variant)
        except Exception as error:
            raise told(error, template, file, self._folder) from None
        finally:
            READER.reset(token)


def brand_facts(brand: Brand) -> Facts:
    """A brand as templates read it. Its fonts are checked, and go into a style as they are."""

    def colours(name: str, values: Colours) -> Facts:
        return Facts(
            name,
            {**{key: Fixed(value) for key, value in values.model_dump().items()}, "on_accent": Fixed(values.on_accent)},
        )

    plain = {
        name: Fixed(value)
        for name, value in brand.model_dump(include={"name", "url", "logo", "address", "locale", "currency"}).items()
        if value
    }
    return Facts(
        "brand",
        {
            **plain,
            "logo_width": Fixed(brand.logo_width),
            "fonts": Markup(brand.fonts),  # noqa: S704 # checked by the model
            "light": colours("brand.light", brand.light),
            "dark": colours("brand.dark", brand.dark),
        },
    )


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}
