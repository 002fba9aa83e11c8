"""Commands for one mail to many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tabiji.cli.common import settings

if TYPE_CHECKING:
    from tabiji.desk.look import Api

app = typer.Typer(help="Broadcasts: one mail to a list, a tag, or people in a file.", no_args_is_help=True)
Which = Annotated[str, typer.Argument(help="Its id, or its name: the latest of that name.")]
ToList = Annotated[str | None, typer.Option("--list", help="To everybody on this list.")]
ToTag = Annotated[str | None, typer.Option("--tag", help="To everybody with this tag.")]
ToSegment = Annotated[str | None, typer.Option("--segment", help="To everybody in this segment.")]
AboutTopic = Annotated[str, typer.Option(help="What it is about; nobody gets it who has not agreed to that.")]


@app.command("create")
def broadcast_create(
    name: Annotated[str, typer.Argument(help="What it is called in reports.")],
    template: Annotated[str, typer.Argument(help="The mail, e.g. whitepaper/welcome.")],
    *,
    topic: AboutTopic = "marketing",
    to_list: ToList = None,
    to_tag: ToTag = None,
    to_segment: ToSegment = None,
    people: Annotated[
        Path | None,
        typer.Option(
            "--csv", exists=True, dir_okay=False, help="To people in a file: a column email, user_id or contact_id."
        ),
    ] = None,
    at: Annotated[str | None, typer.Option(help="When: 2027-03-01T09:00+09:00. At once where not said.")] = None,
    local_at: Annotated[
        str | None, typer.Option("--own-morning", "--local-at", help="On each person's own clock: 2027-03-01T09:00.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Mails a second at most, over all workers.")] = None,
) -> None:
    """Send one mail to many, now or at a time."""
    from tabiji.desk.broadcasts import create_broadcast

    body: dict[str, Any] = {"name": name, "template": template, "topic": topic}
    body |= {"list": to_list, "tag": to_tag, "segment": to_segment, "at": at, "local_at": local_at, "rate": rate}
    with _api() as api:
        create_broadcast(api, {key: value for key, value in body.items() if value is not None}, people)


@app.command("list")
def broadcast_list() -> None:
    """Show all of them, the latest first."""
    from tabiji.desk.broadcasts import show_broadcasts

    with _api() as api:
        show_broadcasts(api)


@app.command("show")
def broadcast_show(which: Which) -> None:
    """Show how far one is: sent, refused and why, left, when it will be done."""
    from tabiji.desk.broadcasts import show_broadcast

    with _api() as api:
        show_broadcast(api, which)


@app.command("pause")
def broadcast_pause(which: Which, reason: Annotated[str | None, typer.Option(help="Why.")] = None) -> None:
    """Send no more of it until it is resumed."""
    _tell(which, "pause", reason)


@app.command("resume")
def broadcast_resume(which: Which) -> None:
    """Go on where it was."""
    _tell(which, "resume")


@app.command("cancel")
def broadcast_cancel(which: Which) -> None:
    """Send no more of it, ever. What has gone out stays out."""
    _tell(which, "cancel")


@app.command("preview")
def broadcast_preview(
    which: Annotated[str | None, typer.Argument(help="One that is there; or say to whom.")] = None,
    *,
    template: Annotated[str, typer.Option(help="The mail.")] = "whitepaper/welcome",
    topic: AboutTopic = "marketing",
    to_list: ToList = None,
    to_tag: ToTag = None,
    to_segment: ToSegment = None,
) -> None:
    """Show how many would get it now, and why the others not. Nothing is sent."""
    from tabiji.desk.broadcasts import BROADCASTS, preview_existing, show_preview

    body: dict[str, Any] = {"name": "preview", "template": template, "topic": topic}
    body |= {"list": to_list, "tag": to_tag, "segment": to_segment}
    with _api() as api:
        if which is not None:
            show_preview(api, preview_existing(api, which))
        else:
            wanted = {key: value for key, value in body.items() if value is not None}
            show_preview(api, api.post(f"{BROADCASTS}/preview", wanted))


def _tell(which: str, what: str, reason: str | None = None) -> None:
    from tabiji.desk.broadcasts import tell_broadcast

    with _api() as api:
        tell_broadcast(api, which, what, reason)


def _api() -> Api:
    from tabiji.desk.look import Api

    return Api(settings())
