"""Activities that write mails: to contacts, and to the team about them. Each goes out once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio import activity

from activities.attempts import by_now, deadline
from activities.carrying import Carrier
from activities.letters import SALES_TEMPLATE, TEAM_TEMPLATE, last_events
from activities.post import Post
from activities.teams import Teams
from models.database import Database
from models.ledger import Audience, Posting, public_id
from tabiji.domain.changes import NotifyTeam
from tabiji.domain.orders import NotifySales, SendEmail, SendOutcome
from tabiji.domain.topics import Topics
from tabiji.settings import Settings


class Messages:
    """Activities that speak to contacts, and to the team about them.

    All raise `UnknownContact` when the contact is gone, which is not retried; `Paused` when nothing may be done now;
    and, to be tried again: `TemplateError` when a template or variable is missing and nothing was sent, `Busy` when
    another attempt holds the message, `ChannelDown` when the relay is away or asked for patience.
    """

    def __init__(self, post: Post, teams: Teams) -> None:
        self._post = post
        self._teams = teams

    @classmethod
    def of(
        cls,
        settings: Settings,
        database: Database,
        carrier: Carrier,
        *,
        secret: str,
        topics: Topics | None = None,
    ) -> Messages:
        """See `Post.of`."""
        return cls(Post.of(settings, database, carrier, secret=secret, topics=topics), Teams.of(settings))

    @property
    def all(self) -> list[Callable[..., Any]]:
        """To be registered."""
        return [self.send_email, self.notify_sales, self.notify]

    @activity.defn(name="send_email")
    async def send_email(self, order: SendEmail) -> SendOutcome:
        """Send one mail, unless this step and visit has sent its own before.

        Temporal runs an activity at least once. The message is claimed before the SMTP conversation and marked
        after it, so a retry after the mark does nothing; a crash between the two repeats the mail under the same
        Message-ID, or leaves it at `unknown` where the order says at most once.
        """
        until, order = deadline(), by_now(order)
        contact = await self._post.begin(order)
        if isinstance(contact, SendOutcome):
            return contact
        tested = await self._post.tested(order.content, contact)
        arm = tested.drawn.arm if tested is not None else None
        if tested is not None:
            order = order.model_copy(update={"template": tested.content.template(tested.drawn.arm, order.template)})
        letter = self._post.letters.to_contact(contact, order, public_id(order.key), variant=arm)
        posting = Posting.of(
            order,
            template=order.template,
            variant=arm,
            tested=tested,
            holdout=order.holdout,
            subject=letter.rendered.subject if letter else None,
            address=contact.email,
            topic=order.topic,
            delivery=order.delivery,
            delay=order.delay,
            priority=order.priority,
        )
        return await self._post.send(posting, letter, until)

    @activity.defn(name="notify_sales")
    async def notify_sales(self, order: NotifySales) -> SendOutcome:
        """Tell sales about a contact, once: who, why, what they did lately, and where to look."""
        return await self._tell(order, self._teams.sales, "sales", SALES_TEMPLATE, order.reason)

    @activity.defn(name="notify")
    async def notify(self, order: NotifyTeam) -> SendOutcome:
        """Tell a team about a contact, once, in the author's words.

        Raises:
            UnknownTeam: The settings name no address for it. Tried again: somebody may add it.
        """
        return await self._tell(order, self._teams.address(order.team), "team", TEAM_TEMPLATE, order.text)

    async def _tell(
        self, order: NotifySales | NotifyTeam, address: str, audience: Audience, template: str, words: str
    ) -> SendOutcome:
        until, order = deadline(), by_now(order)
        contact = await self._post.begin(order)
        if isinstance(contact, SendOutcome):
            return contact
        async with self._post.database.read() as tx:
            events = await last_events(tx, contact.id)
        facts = {"reason": words, "events": events, "score": contact.score}
        letter = self._post.letters.to_team(
            contact, order, public_id=public_id(order.key), address=address, template=template, facts=facts
        )
        posting = Posting.of(
            order,
            template=template,
            subject=letter.rendered.subject,
            address=address,
            audience=audience,
            summary=words,
        )
        return await self._post.send(posting, letter, until)
