"""Why a mail was or was not sent, for the one who asks. Personal data is printed and logged nowhere."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tabiji.desk.look import Api, moment
from tabiji.errors import Refused

SHOWN = 20
HAPPENED = {
    "opened_at": "opened",
    "clicked_at": "clicked",
    "machine_at": "looked at by a program",
    "replied_at": "answered",
    "unsubscribed_at": "unsubscribed",
    "complained_at": "marked as spam",
    "bounced_at": "came back",
}


def show_why(
    api: Api, email: str, *, template: str | None = None, topic: str | None = None, console: Console | None = None
) -> None:
    """Print the latest messages to somebody with the decision about each, and whether a next one would go out.

    Raises:
        Refused: Nobody has this address.
    """
    out = console or Console()
    person = api.get("/v1/contacts", email=email, limit="1")
    if person is None:
        raise Refused("no contact has this address.")
    asked = {"contact": person["id"], "limit": str(SHOWN), **({"template": template} if template else {})}
    page = api.get("/v1/messages", **asked)
    mails = [mail for mail in page["messages"] if mail["audience"] == "contact"]
    if mails:
        out.print(_listed(mails))
        if page["next"]:
            out.print(f"The latest {SHOWN}: GET /v1/messages has them all.")
    else:
        out.print(f"No {escape(template) if template else 'mail'} has been meant for them yet.")
    for one in [topic] if topic else _topics(mails):
        _would_get(api, person["id"], one, out)


def _listed(mails: list[dict[str, Any]]) -> Table:
    # What is cut is no use: a template's name is what one looks for next.
    table = Table("decided", Column("mail", overflow="fold"), "topic", "state", Column("why, and what then", ratio=1))
    for mail in mails:
        table.add_row(
            moment(mail["at"])[5:16],
            escape(mail["template"]) + (f" ({escape(mail['variant'])})" if mail["variant"] else ""),
            escape(mail["topic"] or "-"),
            mail["state"]
            + (f"\nnot before\n{moment(mail['not_before'])[5:16]}" if mail["state"] == "deferred" else ""),
            "\n".join(_why(mail)) or "-",
        )
    return table


def _why(mail: dict[str, Any]) -> list[str]:
    said = [escape(f"{mail['reason']}. {mail['says'] or ''}".strip())] if mail["reason"] else []
    said += [escape(mail["remedy"])] if mail["remedy"] else []
    said += [f"{words} {moment(mail[column])[5:16]}" for column, words in HAPPENED.items() if mail[column]]
    return said


def _topics(mails: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(mail["topic"] for mail in mails if mail["topic"])) or ["marketing"]


def _would_get(api: Api, contact_id: str, topic: str, out: Console) -> None:
    answer = api.get(f"/v1/contacts/{contact_id}/permission", topic=topic)
    if answer["now"]:
        out.print(f"A mail about {escape(topic)} would go to them now.")
        return
    out.print(f"A mail about {escape(topic)} would not go to them now:")
    for one in answer["objections"]:
        until = f", not before {moment(one['until'])}" if one["until"] else ""
        out.print(escape(f"  {one['reason']}{until}. {one['says'] or ''} {one['remedy'] or ''}".rstrip()))
