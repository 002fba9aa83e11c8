"""From a template and what is known about a person to subject, HTML and text.

A template `whitepaper/welcome` is the file `whitepaper/welcome.html` of the templates folder; its subject is
the document's title. `whitepaper/welcome.txt` is the text part where it exists, else the HTML is told in text.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from css_inline import CSSInliner
from inscriptis import get_text  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] # has none
from inscriptis.css_profiles import CSS_PROFILES  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] # has none
from inscriptis.model.config import ParserConfig  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] # has none
from jinja2 import FileSystemLoader, StrictUndefined, TemplateNotFound, UndefinedError, select_autoescape
from jinja2.exceptions import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from selectolax.lexbor import LexborHTMLParser

from tabiji.errors import TemplateError

# Links would be fetched from wherever a template, or a value in it, says.
_INLINER = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
_TEXT = ParserConfig(css=CSS_PROFILES["strict"], display_links=True)


@dataclass(frozen=True)
class Rendered:
    """A mail's content, for one person."""

    subject: str
    html: str
    text: str


class Facts(Mapping[str, object]):
    """What a template may read under one name: ``contact.first_name``.

    A value that is None or blank counts as not there, so that ``default("there")`` serves it too.
    """

    __slots__ = ("_facts", "_name")

    def __init__(self, name: str, facts: Mapping[str, object]) -> None:
        self._name = name
        self._facts = {
            key: value
            for key, value in facts.items()
            if value is not None and not (isinstance(value, str) and not value.strip())
        }

    def __getitem__(self, key: str) -> object:
        return self._facts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __str__(self) -> str:
        return self._name


class _NotThere(StrictUndefined):
    """Says which variable is missing, and never what stands in another one."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        owner, name = self._undefined_obj, str(self._undefined_name)
        return f"{owner}.{name}" if isinstance(owner, Facts) else name


class Renderer:
    """Templates of one folder. They are code of the team, yet run in a sandbox: values are not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._templates = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(self._folder),
            autoescape=select_autoescape(("html",), default=False),
            undefined=_NotThere,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, template: str, context: Mapping[str, object]) -> Rendered:
        """Fill a template in.

        Raises:
            TemplateError: The template, or a variable it asks for, is not there. It names both, and
                quotes nothing that is known about the person.
        """
        page = LexborHTMLParser(self._fill(template, f"{template}.html", context))
        title = page.css_first("title")
        subject = " ".join(title.text().split()) if title is not None else ""
        if not subject:
            raise TemplateError(template, "it has no subject. Fill {% block subject %}, or give the page a <title>.")
        html = _INLINER.inline(page.html or "")
        return Rendered(subject=subject, html=html, text=self._text(template, page, context))

    def _text(self, template: str, page: LexborHTMLParser, context: Mapping[str, object]) -> str:
        if (self._folder / f"{template}.txt").is_file():
            return self._fill(template, f"{template}.txt", context)
        for unseen in page.css("head, .preheader"):
            unseen.decompose()
        return str(get_text(page.html or "", _TEXT)).strip() + "\n"

    def _fill(self, template: str, file: str, context: Mapping[str, object]) -> str:
        try:
            return self._templates.get_template(file).render(context)
        except TemplateNotFound as missing:
            raise TemplateError(template, f"there is no file {str(missing.name or file)!r} in the templates") from None
        except TemplateSyntaxError as error:
            raise TemplateError(template, f"{error.name}, line {error.lineno}: {error.message}") from None
        except UndefinedError as error:
            raise TemplateError(template, self._missing(error)) from None
        except Exception as error:
            place, _ = self._place(error)
            # The message of a foreign error may quote a value.
            raise TemplateError(template, f"{place}{type(error).__name__} while it was filled in") from None

    def _missing(self, error: UndefinedError) -> str:
        name = error.message or ""
        place, line = self._place(error)
        if name.rpartition(".")[2] not in line:
            # Computed from values, and a value may be a person's.
            return f"{place}a variable whose name is computed is not set"
        return f"{place}{name} is not set. Where that may be, say {{{{ {name} | default('…') }}}}."

    def _place(self, error: Exception) -> tuple[str, str]:
        """File and line of a template's part that failed, for a message; and that line."""
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            file = Path(frame.filename)
            if file.is_relative_to(self._folder):
                return f"{file.relative_to(self._folder)}, line {frame.lineno}: ", frame.line or ""
        return "", ""
