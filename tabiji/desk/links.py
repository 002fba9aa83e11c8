"""What became of a template's links, for the one who asks."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tabiji.desk.look import Api, moment
from tabiji.errors import Refused


def show_links(api: Api, template: str, *, variant: str | None = None, console: Console | None = None) -> None:
    """Print how many people opened and clicked, and each link with its people, clicks and programs.

    Raises:
        Refused: No mail was made from this template.
    """
    out = console or Console()
    report = api.get("/v1/links", template=template, **({"variant": variant} if variant else {}))
    if report is None:
        raise Refused(f"no mail has been made from {template!r}.")
    sent = report["sent"]
    out.print(
        f"{escape(template)}: {sent} sent, {_share(report['opened'], sent)} opened, "
        f"{_share(report['clicked'], sent)} clicked by people; a program looked at {_share(report['machines'], sent)}"
    )
    if not report["links"]:
        out.print("Nobody has clicked a link yet.")
        return
    out.print(_listed(report["links"]))


def _listed(links: list[dict[str, Any]]) -> Table:
    shown = Table("link", "leads to", "people", "clicks", "programs", "last")
    for one in links:
        shown.add_row(
            str(one["place"] or ""),
            escape(one["page"]),
            str(one["people"]),
            str(one["clicks"]),
            str(one["machines"]),
            moment(one["last_at"]),
        )
    return shown


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else str(part)
