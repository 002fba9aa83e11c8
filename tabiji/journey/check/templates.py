"""Templates of mails: every one a journey names is there, and can be filled in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from tabiji.channels.email.facts import Sample
from tabiji.channels.email.render import Facts, Rendered, Renderer
from tabiji.errors import TemplateError
from tabiji.journey.check.findings import Finding, Project, Severity, at
from tabiji.journey.check.topic_rules import BY_DEFAULT, BY_NAME
from tabiji.journey.journey import Journey
from tabiji.journey.map import Reading, read_journey


class Anybody(Mapping[str, object]):
    """A contact of whom everything is known."""

    def __getitem__(self, key: str) -> object:
        if key == "attributes":
            return {}
        return ["a tag"] if key in ("tags", "lists") else Sample(f"a contact's {key}")

    def __iter__(self) -> Iterator[str]:
        return iter(("id", "email", "tags", "attributes"))

    def __len__(self) -> int:
        return 4


NOBODY = Facts("contact", {"id": "0", "email": "somebody@example.com", "tags": ("a tag",), "attributes": {}})
"""A contact of whom nothing is known but where to write."""


def mails(reading: Reading, project: Project) -> Iterator[Finding]:
    """A mail that cannot be filled in is tried again and again, and nobody gets it."""
    if project.templates is None:
        return
    renderer = Renderer(project.templates)
    for id, said in reading.calls.items():
        if reading.graph.by_id[id].verb == "send_email":
            for template in said.options(0, "template"):
                yield from _mail(reading, id, renderer, template, project.templates)


def _mail(reading: Reading, node: str, renderer: Renderer, template: str, folder: Path) -> Iterator[Finding]:
    if (lacking := wrong(renderer, template, NOBODY)) is not None:
        found = partial(at, reading, node, "template")
        if (always := wrong(renderer, template, Anybody())) is not None:
            yield found(f"{always}".rstrip(".") + ".", remedy(folder, template))
        else:
            yield found(
                f"{lacking}".rstrip(".") + ".",
                "Without it nobody lacking it gets this mail.",
                severity=Severity.WARNING,
            )


def wrong(
    renderer: Renderer, template: str, contact: Mapping[str, object], variant: str | None = None
) -> TemplateError | None:
    """Why a template cannot be filled in for a contact; None: it can."""
    try:
        filled(renderer, template, contact, variant)
    except TemplateError as error:
        return error
    return None


def filled(renderer: Renderer, template: str, contact: Mapping[str, object], variant: str | None = None) -> Rendered:
    """A mail to a contact.

    Raises:
        TemplateError: It cannot be filled in.
    """
    return renderer.render(
        template,
        {
            "contact": contact,
            "journey": Facts("journey", {"name": "check"}),
            "sender": Facts("sender", {"name": "Sender", "email": "sender@example.com"}),
            "public_url": "https://example.com",
            "postal_address": "1 Example Street",
            "unsubscribe_url": "https://example.com/unsubscribe",
            "segments": dict.fromkeys(renderer.segments(template), False),
            "preferences_url": "https://example.com/preferences",
            "confirm": Facts(
                "confirm",
                {"url": "https://example.com/confirm", "title": "Our news", "purpose": "One mail a month."},
            ),
        },
        variant,
    )


def remedy(folder: Path, template: str) -> str:
    """What to do about a template that cannot be filled in."""
    if (folder / f"{template}.html").exists():
        return f"Mend {_file(folder, template)}."
    there = [file.relative_to(folder).with_suffix("").as_posix() for file in folder.rglob("*.html")]
    meant = get_close_matches(template, there, n=1)
    return f"Write {_file(folder, template)}." if not meant else f"Did you mean {meant[0]!r}?"


def _file(folder: Path, template: str) -> str:
    return f"{folder.parent.name}/{folder.name}/{template}.html"


def topics_of_templates(journeys: Iterable[type[Journey]]) -> dict[str, frozenset[str]]:
    """On which topics the templates that journeys name are sent, read from their source.

    A topic that only a run knows is the one of mails that say none: people may refuse it.
    """
    found: dict[str, set[str]] = {}
    for reading in map(read_journey, journeys):
        for id, said in reading.calls.items():
            if reading.graph.by_id[id].verb != "send_email":
                continue
            topics = {topic for topic in said.options(BY_NAME, "topic") if isinstance(topic, str)} or {BY_DEFAULT}
            for template in said.options(0, "template"):
                found.setdefault(template, set()).update(topics)
    return {template: frozenset(topics) for template, topics in found.items()}
