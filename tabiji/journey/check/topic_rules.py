"""Topics: every one a journey mails about, or a form asks consent for, is declared, so that people know its purpose."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import get_close_matches

from tabiji.domain.topics import TRANSACTIONAL, Topics
from tabiji.journey.check.findings import Finding, Module, Project, at
from tabiji.journey.map import Reading

CODE = "topic"
BY_DEFAULT = "marketing"
BY_NAME = 99
"""No place: the argument is given by its name alone."""


def topics_of_mails(reading: Reading, project: Project) -> Iterator[Finding]:
    """Nobody can agree to what is declared nowhere: it is on no preference page, and has no purpose."""
    if not _declares(project.topics):
        return
    for id, said in reading.calls.items():
        if reading.graph.by_id[id].verb != "send_email":
            continue
        for argument in ("topic", "confirms"):
            given = said.node(BY_NAME, argument) is not None
            named = said.options(BY_NAME, argument) if given else (BY_DEFAULT,) if argument == "topic" else ()
            for topic in named:
                if isinstance(topic, str) and (words := _wrong(project.topics, topic, argument)) is not None:
                    yield at(reading, id, CODE, *words)


def topics_of_forms(module: Module, project: Project) -> Iterator[Finding]:
    """A form that asks consent for a topic nobody declared."""
    if not _declares(project.topics):
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id="Consent") | ast.Attribute(attr="Consent")) as call:
                topic = _literal(call)
                if topic is not None and topic not in project.topics:
                    yield module.found(CODE, call, *_undeclared(project.topics, topic))
            case _:
                pass


def _declares(topics: Topics) -> bool:
    """While a project declares none, any may be used."""
    return any(topic.name != TRANSACTIONAL for topic in topics)


def _wrong(topics: Topics, name: str, argument: str) -> tuple[str, str] | None:
    topic = topics.get(name)
    if topic is None:
        return _undeclared(topics, name)
    if argument == "topic" and not topic.mails:
        return f"nothing is sent on the topic {name!r}: it says mails=False.", "Send on another topic."
    return None


def _undeclared(topics: Topics, name: str) -> tuple[str, str]:
    meant = get_close_matches(name, [topic.name for topic in topics], n=1)
    remedy = f"Did you mean {meant[0]!r}?" if meant else f"Declare Topic({name!r}, purpose=…, version=…) in topics/."
    return f"no topic {name!r} is declared.", remedy


def _literal(call: ast.Call) -> str | None:
    node = call.args[0] if call.args else next((one.value for one in call.keywords if one.arg == "topic"), None)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
