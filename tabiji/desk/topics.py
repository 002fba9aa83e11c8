"""Topics, and what one person has decided about them, as tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tabiji.desk.look import Api, moment
from tabiji.errors import Refused


def show_topics(api: Api, console: Console | None = None) -> None:
    """Print what people may agree to, why it may be sent, and how many have agreed."""
    out = console or Console()
    answer = api.get("/v1/topics")
    if answer is None:
        raise Refused("this API does not know /v1/topics: it is older than this command.")
    table = Table("topic", "basis", "purpose, or why no consent is needed", "agreed", "asked", "refused")
    for topic in answer["topics"]:
        table.add_row(
            escape(topic["name"]),
            _basis(topic),
            escape(topic["reason"] or _purpose(topic)),
            *(str(topic[count]) for count in ("agreed", "asked", "refused")),
        )
    out.print(table)
    out.print(f"{answer['stopped_all']} want nothing at all.")


def show_consents(api: Api, contact: str, out: Console) -> None:
    """Print what one person has decided, with the proof of it."""
    answer = api.get(f"/v1/contacts/{contact}/consents")
    if not answer or not answer["history"]:
        out.print("Has agreed to nothing, and refused nothing.")
        return
    in_force: list[dict[str, Any]] = answer["in_force"]
    table = Table("topic", "says", "when", "where", "what they read", "from")
    for one in in_force:
        table.add_row(
            "everything" if one["topic"] == "*" else escape(one["topic"]),
            _says(one),
            moment(one["at"]),
            escape(one["source"]),
            escape(_read(one)),
            escape(" ".join(part for part in (one["network"], one["user_agent"]) if part)),
        )
    out.print(table)
    older = len(answer["history"]) - len({(one["at"], one["source"]) for one in in_force})
    if older > 0:
        out.print(f"Before that they decided {older} more times: GET /v1/contacts/{contact}/consents has it all.")


def _basis(topic: dict[str, Any]) -> str:
    basis = str(topic["legal_basis"]).replace("_", " ")
    more = [", double opt-in"] if topic["double_opt_in"] else []
    more += [", not declared"] if not topic["declared"] else []
    return basis + "".join(more)


def _purpose(topic: dict[str, Any]) -> str:
    words: dict[str, str] = topic["purpose"]
    text = words.get("en") or next(iter(words.values()), "")
    return f"{text} (version {topic['version']})" if text and topic["version"] else text


def _says(one: dict[str, Any]) -> str:
    if not one["given"]:
        return "no, to everything" if one["everything"] else "no"
    return "yes" if one["confirmed"] else "asked, not confirmed"


def _read(one: dict[str, Any]) -> str:
    wording: str = one["wording"] or ""
    return f"{wording} ({one['version']})" if wording and one["version"] else wording
