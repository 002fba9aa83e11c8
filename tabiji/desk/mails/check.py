"""What is wrong with templates, found by rendering them for everybody, also for those who are awkward."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tabiji.channels.email.render import Renderer
from tabiji.desk.mails.flaws import Flaw, flaws_in
from tabiji.desk.mails.people import FILE, Person, people_of
from tabiji.desk.mails.samples import facts_of, team_facts, way_out
from tabiji.domain.topics import Topics
from tabiji.errors import ConfigurationError, TemplateError
from tabiji.settings import Settings

_PLACED = re.compile(r"^(?P<file>[^:\n]+), line (?P<line>\d+): (?P<words>.*)$", re.DOTALL)
_LANGUAGE = re.compile(r"\.[a-z]{2,3}$")
_MADE_OF_VALUES = re.compile(r"(href|src)\s*=\s*[\"']?\s*\{\{")


class Problem(BaseModel):
    """One thing that is wrong, where, for whom, and what to do."""

    model_config = ConfigDict(frozen=True)

    code: str
    file: str
    line: int
    message: str
    remedy: str
    people: tuple[str, ...] = ()

    def __str__(self) -> str:
        whom = f" [for {', '.join(self.people)}]" if self.people else ""
        return f"{self.file}:{self.line}: error {self.code}: {self.message}{whom} {self.remedy}".rstrip()


def names_in(folder: Path) -> list[str]:
    """The templates of a folder: what begins with an underline is a part of others, `name.ja.html` is `name`."""
    files = (file.relative_to(folder).with_suffix("").as_posix() for file in folder.rglob("*.html"))
    whole = (name for name in files if not any(part.startswith("_") for part in name.split("/")))
    return sorted({_LANGUAGE.sub("", name) for name in whole})


@dataclass
class Checker:
    """Checks the templates of one project."""

    settings: Settings
    topics: Topics
    sent: Mapping[str, frozenset[str]]
    """On which topics journeys send each."""

    @cached_property
    def folder(self) -> Path:
        """With the templates of mails."""
        return self.settings.templates / "email"

    @cached_property
    def renderer(self) -> Renderer:
        """Finishes every mail for itself: what was taken out is told each time."""
        return Renderer(self.folder, zone=self.settings.zone, plain=True)

    def check(self, names: Iterable[str] = ()) -> list[Problem]:
        """Check some templates, or all there are.

        Raises:
            ConfigurationError: There is no template of a name, or brand kit or people cannot be read.
        """
        there, asked = names_in(self.folder), list(names)
        for name in asked:
            if name not in there:
                raise ConfigurationError(f"there is no template {name!r} in {self.folder}. See `tabiji template list`.")
        found: dict[Problem, list[str]] = {}
        for name in asked or there:
            for problem, whom in self._template(name):
                found.setdefault(problem, []).extend([whom] if whom else [])
        whole = (one.model_copy(update={"people": tuple(dict.fromkeys(whom))}) for one, whom in found.items())
        return sorted(whole, key=lambda one: (one.file, one.line, one.code, one.message))

    def people(self, name: str) -> list[Person]:
        """Whom a template is looked at for.

        Raises:
            TemplateError: It cannot be read.
        """
        notes = self.renderer.notes(name)
        own = {file.stem.rpartition(".")[2] for file in self._files(name) if "." in file.stem}
        return people_of(
            self.settings.templates,
            languages=own | {word for one in notes for word in one.languages},
            tags={word for one in notes for word in one.tags},
            lists={word for one in notes for word in one.lists},
            segments={word for one in notes for word in one.segments},
        )

    def variants(self, name: str) -> list[str | None]:
        """None, and each arm it has blocks for: `subject_warm` beside `subject` is `warm`.

        Raises:
            TemplateError: It cannot be read.
        """
        notes = self.renderer.notes(name)
        blocks = {block for one in notes for block in one.blocks}
        own = notes[0].blocks
        arms = {one.removeprefix(f"{block}_") for one in own for block in blocks if one.startswith(f"{block}_")}
        return [None, *sorted(arms)]

    def facts(self, name: str, person: Person) -> dict[str, object]:
        """Everything a template may read, for one person."""
        facts = facts_of(self.settings, self.renderer.brand, person.facts, refusable=self.refusable(name))
        if self.renderer.notes(name)[0].audience == "team":
            facts |= team_facts(self.settings)
        segments = {segment: segment in person.segments for segment in self.renderer.segments(name)}
        return {**facts, "segments": segments}

    def refusable(self, name: str) -> bool:
        """Whether it must show the way out: unless it is for the team, or for what people have asked for alone."""
        if (topics := self.sent.get(name)) is not None:
            return any(not self.topics.is_transactional(topic) for topic in topics)
        return self.renderer.notes(name)[0].audience not in ("team", "transactional")

    def way_out(self, name: str) -> str | None:
        """The unsubscribe link it must show."""
        return way_out(self.settings) if self.refusable(name) else None

    def _template(self, name: str) -> Iterator[tuple[Problem, str]]:
        try:
            people, variants = self.people(name), self.variants(name)
        except TemplateError as error:
            yield self._broken(name, error), ""
            return
        for segment in sorted(self.renderer.segments(name)):
            flaw = Flaw(
                "segment", f"there is no segment {segment!r}: nothing defines segments.", "Ask for a tag or list."
            )
            yield self._problem(name, flaw), ""
        for person in people:
            for variant in variants:
                whom = person.name if variant is None else f"{person.name} as {variant}"
                for problem in self._looked_at(name, person, variant):
                    yield problem, whom

    def _looked_at(self, name: str, person: Person, variant: str | None) -> Iterator[Problem]:
        try:
            rendered = self.renderer.render(name, self.facts(name, person), variant)
        except TemplateError as error:
            yield self._broken(name, error)
            return
        for flaw in flaws_in(rendered, way_out=self.way_out(name), public_url=self.settings.public_url):
            yield self._problem(name, flaw)

    def _broken(self, name: str, error: TemplateError) -> Problem:
        placed = _PLACED.match(error.problem)
        words = placed["words"] if placed else error.problem
        code = "variable" if " is not set" in words else "subject" if "no subject" in words else "template"
        lacking = f"If no contact of yours lacks it, say so in {self.settings.templates / FILE}."
        return Problem(
            code=code,
            file=str(self.folder / (placed["file"] if placed else f"{name}.html")),
            line=int(placed["line"]) if placed else 1,
            message=f"{words.rstrip('.')}.",
            remedy=lacking if code == "variable" else "",
        )

    def _problem(self, name: str, flaw: Flaw) -> Problem:
        file, line = self._place(name, flaw.needle)
        return Problem(code=flaw.code, file=str(file), line=line, message=flaw.message, remedy=flaw.remedy)

    def _place(self, name: str, needle: str) -> tuple[Path, int]:
        """Where something stands, in the template or in what others extend; line 1 where that cannot be said."""
        own = self._files(name)
        lines = [
            (file, number, line)
            for file in (*own, *sorted(self.folder.rglob("_*.html")))
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        ]
        if needle:
            written = (needle,) if needle.startswith(("<", "href=")) else (f'"{needle}', f"'{needle}", f"={needle}")
            exact = ((file, number) for file, number, line in lines if any(one in line for one in written))
            made = ((file, number) for file, number, line in lines if _MADE_OF_VALUES.search(line))
            return next(exact, None) or next(made, (own[0], 1))
        return own[0], 1

    def _files(self, name: str) -> list[Path]:
        """Its file, and those it has for languages."""
        file = self.folder / f"{name}.html"
        return [file, *sorted(file.parent.glob(f"{file.stem}.*.html"))]
