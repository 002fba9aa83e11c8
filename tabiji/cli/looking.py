"""Commands that show people, what does not move, and events."""

from __future__ import annotations

from typing import Annotated

import typer

from tabiji.cli.common import settings

app = typer.Typer()


@app.command()
def contact(email: Annotated[str, typer.Argument(help="Their address.")]) -> None:
    """Show what a person has agreed to and where they are: each journey, what it waits for, the Temporal UI."""
    from tabiji.desk.look import Api, show_contact

    with Api(settings()) as asked:
        show_contact(asked, email)


@app.command()
def why(
    email: Annotated[str, typer.Argument(help="Their address.")],
    template: Annotated[str | None, typer.Argument(help="Only this mail, e.g. whitepaper/welcome.")] = None,
    *,
    topic: Annotated[str | None, typer.Option(help="Would they get a mail about this now?")] = None,
) -> None:
    """Show why mails were or were not sent to a person, and whether the next one would be."""
    from tabiji.desk.look import Api
    from tabiji.desk.why import show_why

    with Api(settings()) as asked:
        show_why(asked, email, template=template, topic=topic)


@app.command()
def topics() -> None:
    """List what people may agree to hear about, why it may be sent, and how many have agreed."""
    from tabiji.desk.look import Api
    from tabiji.desk.topics import show_topics

    with Api(settings()) as asked:
        show_topics(asked)


@app.command()
def links(
    template: Annotated[str, typer.Argument(help="Its name, e.g. demo/invitation.")],
    *,
    variant: Annotated[str | None, typer.Option(help="Only this arm of a test of its content.")] = None,
) -> None:
    """Show who opened and clicked the mails of a template, link by link, and programs apart from people."""
    from tabiji.desk.links import show_links
    from tabiji.desk.look import Api

    with Api(settings()) as asked:
        show_links(asked, template, variant=variant)


@app.command()
def stuck() -> None:
    """Show what does not move: failing workflow tasks, queues nobody polls, late dispatches, overdue timers."""
    from tabiji.desk.look import Api, show_stuck

    with Api(settings()) as asked:
        if not show_stuck(asked):
            raise typer.Exit(1)


@app.command()
def events(
    everything: Annotated[bool, typer.Option("--all", help="Also the events tabiji itself declares.")] = False,
) -> None:
    """List the declared events with examples, and what came in otherwise. Nothing of that was dropped."""
    from tabiji.desk.look import Api
    from tabiji.desk.words import show_events

    with Api(settings()) as asked:
        show_events(asked, everything=everything)


@app.command()
def tail(
    who: Annotated[
        str | None, typer.Argument(help="One person: their e-mail address, user id or anonymous id.")
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(help="Only events of this name.")] = None,
    follow: Annotated[bool, typer.Option(help="Go on until Ctrl-C; --no-follow: only what is there.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show events as they come, and what each did: journeys entered, waits answered, or why nothing."""
    from contextlib import suppress

    from tabiji.desk.look import Api
    from tabiji.desk.tail import show_tail

    with Api(settings()) as asked, suppress(KeyboardInterrupt):
        show_tail(asked, who=who, name=name, follow=follow, as_json=as_json)
