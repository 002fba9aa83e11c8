"""Questions to people in the team."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from temporalio import activity

from activities.attempts import by_now, deadline, once
from activities.post import Post
from activities.teams import Teams
from models.approvals import ask
from models.change import Change
from models.ledger import Posting, public_id
from models.record import Recorder
from tabiji.domain.changes import AskApproval, Asked
from tabiji.domain.orders import SendOutcome

TEMPLATE = "team/approval"


class Approvals:
    """Puts questions to people. Their answers come by `api.approvals`."""

    def __init__(self, recorder: Recorder, post: Post, teams: Teams, zone: ZoneInfo) -> None:
        self._recorder = recorder
        self._post = post
        self._teams = teams
        self._zone = zone

    @property
    def all(self) -> list[Callable[..., Any]]:
        """To be registered."""
        return [self.ask_approval]

    @activity.defn(name="ask_approval")
    async def ask_approval(self, order: AskApproval) -> Asked:
        """Write the question down and mail it to the team, each once.

        Raises:
            UnknownContact: The contact is gone. Not retried.
            InvalidChange: A text is empty or too long. Not retried.
            UnknownTeam: The settings name no address for it. Tried again: somebody may add it.
            Paused, TemplateError, Busy, ChannelDown: See `activities.messages`.
        """
        until, address = deadline(), self._teams.address(order.who)

        async def work(change: Change, order: AskApproval) -> Asked:
            return Asked(approval=str(await ask(change, order)))

        asked = await once(self._recorder, order, Asked, work)
        await self._mail(by_now(order), asked, address, until)
        # A mail that nobody can get is no end: the question stands in GET /v1/approvals all the same.
        return asked

    async def _mail(self, order: AskApproval, asked: Asked, address: str, until: float) -> None:
        contact = await self._post.begin(order)
        if isinstance(contact, SendOutcome):
            return
        facts = {
            "question": order.question,
            "score": contact.score,
            "until": order.until.astimezone(self._zone),
            "answer_url": self._post.letters.links.approval(UUID(asked.approval)),
        }
        letter = self._post.letters.to_team(
            contact, order, public_id=public_id(order.key), address=address, template=TEMPLATE, facts=facts
        )
        posting = Posting.of(
            order,
            template=TEMPLATE,
            subject=letter.rendered.subject,
            address=address,
            audience="team",
            summary=order.question,
        )
        await self._post.send(posting, letter, until)
