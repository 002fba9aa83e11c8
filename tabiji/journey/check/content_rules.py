"""Tests of content: each arm can be sent, and they differ."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from tabiji.channels.email.render import Rendered, Renderer
from tabiji.domain.content import ContentTest
from tabiji.errors import TemplateError
from tabiji.journey.check.findings import Finding, Project, Severity, at
from tabiji.journey.check.templates import Anybody, filled, remedy
from tabiji.journey.check.topic_rules import BY_NAME
from tabiji.journey.map import Reading


def arms_of_mails(reading: Reading, project: Project) -> Iterator[Finding]:
    """An arm whose template is missing is sent to nobody; arms that say the same prove nothing."""
    if project.templates is None:
        return
    renderer = Renderer(project.templates)
    for id, said in reading.calls.items():
        test = said.value(BY_NAME, "test") if reading.graph.by_id[id].verb == "send_email" else None
        if isinstance(test, ContentTest):
            for template in said.options(0, "template"):
                yield from _arms(reading, id, renderer, project.templates, test=test, own=template)


def _arms(
    reading: Reading, node: str, renderer: Renderer, folder: Path, *, test: ContentTest, own: str
) -> Iterator[Finding]:
    mails: dict[str, Rendered] = {}
    for arm in test.arms:
        template = test.template(arm, own)
        try:
            mails[arm] = filled(renderer, template, Anybody(), arm)
        except TemplateError as error:
            # The mail's own template is looked at by itself; an arm's is named here.
            if template != own:
                words = f"arm {arm!r} of {test.name!r}: {error}".rstrip(".") + "."
                yield at(reading, node, "template", words, remedy(folder, template))
    for one, other in combinations(mails, 2):
        if mails[one] == mails[other] and test.when(one) == test.when(other):
            yield at(
                reading,
                node,
                "same-arms",
                f"arms {one!r} and {other!r} of {test.name!r} send the same mail.",
                f"Write a block subject_{other} into the template of {own!r}, or ask {{% if variant == {other!r} %}}.",
                severity=Severity.WARNING,
            )
