"""Commands for webhooks that go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tabiji.cli.common import settings

if TYPE_CHECKING:
    from tabiji.desk.look import Api

app = typer.Typer(help="Webhooks: who is told of what, and what never arrived.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Its name, as `tabiji webhook list` shows it.")]


@app.command("add")
def webhook_add(
    url: Annotated[str, typer.Argument(help="Where to post; https.")],
    events: Annotated[str, typer.Option(help="Names, with commas: 'Order Completed,Tag Added'; * is everything.")],
    name: Annotated[str | None, typer.Option(help="What it is called; the host, where not given.")] = None,
    properties: Annotated[
        str | None, typer.Option(help="Only these properties, with commas; absent: all of an event's.")
    ] = None,
    include: Annotated[str | None, typer.Option(help="email: the person's address too.")] = None,
) -> None:
    """Tell a system of events from now on. Prints the secret; it is not shown again."""
    from tabiji.desk.webhooks import add_webhook

    if include not in (None, "email"):
        raise typer.BadParameter("only `email` can be included")
    with _api() as api:
        add_webhook(
            api,
            url,
            _listed(events),
            name=name,
            properties=None if properties is None else _listed(properties),
            email=include == "email",
        )


@app.command("list")
def webhook_list() -> None:
    """Show who is told what, what each is sent, and how well it arrives."""
    from tabiji.desk.webhooks import show_webhooks

    with _api() as api:
        show_webhooks(api)


@app.command("test")
def webhook_test(name: Name) -> None:
    """Send a message that says nothing, now. Exit code 1: it was not taken."""
    from tabiji.desk.webhooks import try_webhook

    with _api() as api:
        if not try_webhook(api, name):
            raise typer.Exit(1)


@app.command("disable")
def webhook_disable(name: Name) -> None:
    """Tell it nothing more; what is pending becomes dead letters."""
    _turn(name, "disable")


@app.command("enable")
def webhook_enable(name: Name) -> None:
    """Tell it again, from now on."""
    _turn(name, "enable")


@app.command("rotate")
def webhook_rotate(name: Name) -> None:
    """Replace its secret; for a day the one before signs too."""
    from tabiji.desk.webhooks import rotate_webhook

    with _api() as api:
        rotate_webhook(api, name)


@app.command("dead")
def webhook_dead(
    webhook: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this one.")] = None,
) -> None:
    """Show what never arrived, and calls of journeys that came to nothing."""
    from tabiji.desk.webhooks import show_dead

    with _api() as api:
        show_dead(api, webhook)


@app.command("show")
def webhook_show(id: Annotated[str, typer.Argument(help="Of a delivery, as `tabiji webhook dead` shows it.")]) -> None:
    """Show one delivery, and what it says."""
    from tabiji.desk.webhooks import show_delivery

    with _api() as api:
        show_delivery(api, id)


@app.command("resend")
def webhook_resend(
    id: Annotated[str | None, typer.Argument(help="Of a dead letter.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
    webhook: Annotated[str | None, typer.Option(metavar="NAME", help="Every dead letter of this one.")] = None,
) -> None:
    """Send dead letters again, under their ids."""
    from tabiji.desk.webhooks import resend

    if sum((id is not None, all, webhook is not None)) != 1:
        raise typer.BadParameter("say which: an ID, --webhook NAME or --all")
    with _api() as api:
        resend(api, id, webhook)


def _turn(name: str, action: str) -> None:
    from tabiji.desk.webhooks import turn_webhook

    with _api() as api:
        turn_webhook(api, name, action)


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _api() -> Api:
    from tabiji.desk.look import Api

    return Api(settings())
