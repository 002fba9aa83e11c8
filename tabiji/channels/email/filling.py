"""Fills templates in: Jinja2 in a sandbox, errors that name file and line and quote nobody."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from jinja2 import (
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    UndefinedError,
    nodes,
    pass_context,
    select_autoescape,
)
from jinja2.exceptions import TemplateSyntaxError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from tabiji.channels.email.facts import Facts, Fixed
from tabiji.channels.email.formats import FILTERS, READER, NotFit
from tabiji.channels.email.notes import Notes, notes_on
from tabiji.errors import TemplateError

OPENS, ENDS = "\ufdd0", "\ufdd1"
"""Around the number of a slot. Unicode keeps these two for a program's own use: no text contains them."""
SLOT = re.compile(f"{OPENS}(\\d+)-*{ENDS}")


class NotThere(StrictUndefined):
    """Says which variable is missing, and never what stands in another one."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        owner, name = self._undefined_obj, str(self._undefined_name)
        return f"{owner}.{name}" if isinstance(owner, Facts) else name


@dataclass(frozen=True)
class Filled:
    """A template for one person, with its values beside it: `{OPENS}0{ENDS}` is the first of them."""

    skeleton: str
    values: Sequence[str]

    def whole(self) -> str:
        """With the values in their places, as HTML writes them."""
        return SLOT.sub(lambda slot: str(escape(self.values[int(slot[1])])), self.skeleton)


class Templates(ImmutableSandboxedEnvironment):
    """Jinja2's environment, which keeps notes on what it compiles."""

    def __init__(self, folder: Path, house: Mapping[str, object]) -> None:
        self.notes: dict[str, Notes] = {}
        self.compiled = 0
        self._folder = str(folder)
        super().__init__(
            loader=FileSystemLoader(folder),
            autoescape=select_autoescape(("html",), default=False),
            undefined=NotThere,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_slotted,
        )
        _add(self.filters, FILTERS)
        _add(self.tests, TESTS)
        _add(self.globals, house)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        self.compiled += 1
        if name is not None:
            self.notes[name] = notes_on(source)
        return super()._generate(source, name, filename, defer_init=defer_init)

    def notes_of(self, file: str) -> Iterator[Notes | None]:
        """Of a template and all it refers to; None for what only a run knows."""
        todo: list[str | None] = [file]
        seen: set[str] = set()
        while todo:
            name = todo.pop()
            if name is None:
                yield None
            elif name not in seen:
                seen.add(name)
                if (notes := self._notes(name)) is not None:
                    yield notes
                    todo.extend(notes.references)

    def _notes(self, name: str) -> Notes | None:
        try:
            self.get_template(name)
        except TemplateNotFound:
            return None  # it may be missing: who renders it is told
        return self.notes.get(name)

    def has(self, file: str) -> bool:
        """Whether there is such a file."""
        return os.path.isfile(f"{self._folder}/{file}")

    def touched(self, template: str) -> int:
        """Changes when a file beside a template comes or goes."""
        try:
            return os.stat(f"{self._folder}/{template}".rpartition("/")[0]).st_mtime_ns
        except OSError:
            return 0


def fill(templates: Templates, file: str, context: Mapping[str, object], variant: str | None = None) -> str:
    """Fill one file in; `READER` says for whom.

    A block `subject_warm` takes the place of the block `subject` for the variant `warm`, and so with any block.
    """
    template = templates.get_template(file)
    made = template.new_context(dict(context))
    if variant is not None:
        for name in [name for name in template.blocks if name.endswith(f"_{variant}")]:
            made.blocks.setdefault(name.removesuffix(f"_{variant}"), []).insert(0, template.blocks[name])
    try:
        return str(templates.concat(_root(template)(made)))
    except Exception:
        templates.handle_exception()


def told(error: Exception, template: str, file: str, folder: Path) -> TemplateError:
    """What went wrong, for its author: file and line, and nothing that is known about the person."""
    match error:
        case TemplateNotFound():
            return TemplateError(template, f"there is no file {str(error.name or file)!r} in the templates")
        case TemplateSyntaxError():
            return TemplateError(template, f"{error.name}, line {error.lineno}: {error.message}")
        case UndefinedError():
            return TemplateError(template, _missing(error, folder))
        case NotFit():
            return TemplateError(template, f"{_place(error, folder)[0]}a value {error}")
        case _:
            # The message of a foreign error may quote a value.
            return TemplateError(template, f"{_place(error, folder)[0]}{type(error).__name__} while it was filled in")


def _missing(error: UndefinedError, folder: Path) -> str:
    name = error.message or ""
    place, line = _place(error, folder)
    if name.rpartition(".")[2] not in line:
        # Computed from values, and a value may be a person's.
        return f"{place}a variable whose name is computed is not set"
    return f"{place}{name} is not set. Where that may be, say {{{{ {name} | default('…') }}}}."


def _place(error: Exception, folder: Path) -> tuple[str, str]:
    """File and line of a template's part that failed, for a message; and that line."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(folder):
            return f"{file.relative_to(folder)}, line {frame.lineno}: ", frame.line or ""
    return "", ""


def _root(template: Template) -> Callable[[Context], Iterator[str]]:
    return cast("Callable[[Context], Iterator[str]]", cast("Any", template).root_render_func)


@pass_context  # else Jinja would call it for constants too, when it compiles
def _slotted(_context: Context, value: object) -> object:
    slots = READER.get().slots
    if slots is None or isinstance(value, Fixed) or hasattr(value, "__html__"):
        return value
    slots.append(str(value))
    return Markup(f"{OPENS}{len(slots) - 1}{ENDS}")  # noqa: S704 # a number


def _tagged(contact: object, tag: str) -> bool:
    return tag in _listed(contact, "tags")


def _on_list(contact: object, name: str) -> bool:
    return name in _listed(contact, "lists")


def _in_segment(_contact: object, name: str) -> bool:
    try:
        return READER.get().segments[name]
    except KeyError:
        raise NotFit(f"asks for the segment {name!r}, which was not looked up: write its name out") from None


def _speaking(_contact: object, language: str) -> bool:
    return READER.get().locale.language == language


def _listed(contact: object, name: str) -> Sequence[object]:
    found = cast("Mapping[str, object]", contact).get(name) if isinstance(contact, Mapping) else None
    return cast("Sequence[object]", found) if isinstance(found, list | tuple) else ()


def _add(names: object, more: Mapping[str, object]) -> None:
    """Jinja's own dictionaries are typed as what they hold at the beginning."""
    cast("dict[str, object]", names).update(more)


TESTS = {"tagged": _tagged, "on_list": _on_list, "in_segment": _in_segment, "speaking": _speaking}
