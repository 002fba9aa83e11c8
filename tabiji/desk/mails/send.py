"""A mail as a test: to an address of one's own, as it would look for somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tabiji.channels.carrier import CarrierError
from tabiji.channels.email.compose import Mail, Mailbox, ascii_address, compose
from tabiji.channels.email.render import Rendered
from tabiji.channels.email.smtp.settings import relays_of
from tabiji.desk.mails.check import Checker
from tabiji.desk.mails.people import Person
from tabiji.errors import ChannelDown, Refused
from tabiji.settings import Settings

MARK = "[Test] "
_WITHIN = timedelta(seconds=30)


def as_test(checker: Checker, name: str, person: Person, *, to: str, variant: str | None = None) -> Mail:
    """Write a test mail. Nothing in it is counted, and its links to unsubscribe and choose lead nowhere.

    Args:
        checker: Has the templates.
        name: Which.
        person: As whom it is rendered.
        to: Who gets it: they alone.
        variant: The arm of a test of content.

    Raises:
        Refused: `to` is no address.
        TemplateError: It cannot be rendered for this person.
    """
    rendered = checker.renderer.render(name, checker.facts(name, person), variant)
    marked = replace(rendered, subject=f"{MARK}{rendered.subject}")
    return written(checker, marked, to=to, more={"X-Tabiji-Test": name})


def written(
    checker: Checker, rendered: Rendered, *, to: str, way_out: str | None = None, more: Mapping[str, str] | None = None
) -> Mail:
    """A mail as it goes out.

    Raises:
        Refused: `to` is no address.
    """
    recipient = ascii_address(to)
    if recipient is None:
        raise Refused(f"{to!r} is not an address, e.g. me@example.com.")
    return compose(
        rendered,
        public_id=uuid4().hex,
        sender=Mailbox.parse(checker.settings.mail_from, "TABIJI_MAIL_FROM"),
        recipient=recipient,
        date=datetime.now(UTC),
        unsubscribe_url=way_out,
        more=more,
    )


async def send(settings: Settings, mail: Mail) -> str:
    """Hand it to the relay of the settings. Returns the relay's last words.

    Raises:
        ChannelDown: The relay did not take it.
    """
    relays = relays_of(settings)
    try:
        return (await relays.send(mail, within=_WITHIN, lane="transactional")).reply
    except CarrierError as failure:
        raise ChannelDown(f"the test mail was not taken: {failure}. `tabiji mail check` looks at the relay.") from None
    finally:
        await relays.close()
