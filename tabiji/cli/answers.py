"""Commands for what came in by mail, and for what people have to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tabiji.cli.common import settings

if TYPE_CHECKING:
    from tabiji.desk.look import Api

returned = typer.Typer(help="Mail that came in: what it was taken for.", no_args_is_help=True)
tasks = typer.Typer(help="Tasks: what people have to do, answers to mails among them.", no_args_is_help=True)
Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at most.")]


@returned.command("list")
def returned_list(
    unmatched: Annotated[bool, typer.Option("--unmatched", help="Only what belongs to no message of ours.")] = False,
    limit: Limit = 50,
) -> None:
    """Show what came in lately, and what it was taken for."""
    from tabiji.desk.answers import show_returned

    with _api() as api:
        show_returned(api, unmatched=unmatched, limit=limit)


@returned.command("show")
def returned_show(id: Annotated[str, typer.Argument(help="As `tabiji returned list` shows it.")]) -> None:
    """Print what is kept of a mail that belongs to no message of ours."""
    from tabiji.desk.answers import show_content

    with _api() as api:
        show_content(api, id)


@tasks.command("list")
def task_list(
    who: Annotated[str | None, typer.Option(help="Only of this team or person.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Also what is done.")] = False,
    limit: Limit = 50,
) -> None:
    """Show what there is to do."""
    from tabiji.desk.answers import show_tasks

    with _api() as api:
        show_tasks(api, who=who, done=all, limit=limit)


@tasks.command("done")
def task_done(
    id: Annotated[str, typer.Argument(help="As `tabiji task list` shows it.")],
    by: Annotated[str | None, typer.Option(help="Who has done it.")] = None,
    note: Annotated[str | None, typer.Option(help="What there is to say about it.")] = None,
) -> None:
    """Say that a task is done: marketing to who answered a mail goes on."""
    from tabiji.desk.answers import finish

    with _api() as api:
        finish(api, id, by=by, note=note)


def _api() -> Api:
    from tabiji.desk.look import Api

    return Api(settings())
