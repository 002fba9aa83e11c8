"""One contact's way through one journey, as a test sees and steers it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import JsonValue
from temporalio.client import WorkflowHistory

from tabiji.domain.orders import Control, Outcome, Passed
from tabiji.testing.mistakes import Mistake
from tabiji.testing.outbox import Mail

if TYPE_CHECKING:
    from tabiji.testing.environment import JourneyEnvironment

__tracebackhide__ = True


class Run:
    """Every call returns when nothing is under way any more: what was to happen by then has happened."""

    def __init__(self, journeys: JourneyEnvironment, id: str, contact: str) -> None:
        self._journeys = journeys
        self.id = id
        self.contact = contact

    @property
    def journey(self) -> str:
        """The journey's name."""
        return self.id.partition("/")[0]

    @property
    def way(self) -> tuple[Passed, ...]:
        """The steps behind the person, each with what came of it and when."""
        return self._journeys.way(self.id)

    @property
    def path(self) -> list[str]:
        """Names of the steps behind the person."""
        return [passed.step for passed in self.way]

    @property
    def story(self) -> list[str]:
        """What came of each of them, in words."""
        return [passed.result for passed in self.way]

    @property
    def doing(self) -> list[str]:
        """What goes on now, in words; several where branches run side by side."""
        return self._journeys.doing(self.id)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._journeys.is_over(self.id)

    @property
    def outbox(self) -> list[str]:
        """Templates of the mails of this run."""
        return [mail.template for mail in self._journeys.outbox if mail.enrollment == self.id]

    async def advance(self, span: timedelta) -> None:
        """Time passes, for everybody."""
        await self._journeys.advance(span)

    async def happens(self, event: str, /, **properties: JsonValue) -> tuple[Run, ...]:
        """The person acts. Returns the runs that this began."""
        return await self._journeys.happens(event, contact=self.contact, properties=properties)

    async def opens(self, mail: Mail | str) -> None:
        """They open a mail; a template names the latest one made from it."""
        found = self._mail(mail)
        await self.happens("Email Opened", template=found.template, message=found.message)

    async def clicks(self, mail: Mail | str, *, link: str = "https://example.com/") -> None:
        """They click a link in a mail."""
        found = self._mail(mail)
        await self.happens("Email Link Clicked", template=found.template, message=found.message, url=link)

    async def replies(self, mail: Mail | str) -> None:
        """They answer a mail."""
        found = self._mail(mail)
        await self.happens("Email Replied", template=found.template, message=found.message)

    async def unsubscribes(self, topic: str = "marketing") -> None:
        """They want no more mails about this."""
        await self._journeys.unsubscribes(self.contact, topic)

    async def skip(self, step: str | None = None) -> None:
        """Somebody in operations ends the wait that is open now; one of several by its step."""
        await self._journeys.control(self.id, Control.SKIP, **({} if step is None else {"step": step}))

    async def pause(self) -> None:
        """Somebody in operations stops its effects; waits go on."""
        await self._journeys.pause(self.id)

    async def resume(self) -> None:
        """The pause is over."""
        await self._journeys.resume(self.id)

    async def cancel(self) -> Outcome:
        """Somebody in operations ends it."""
        return await self._journeys.cancel(self.id)

    async def result(self) -> Outcome:
        """Let time pass until it is over.

        Raises:
            Mistake: It waits for something, and nothing is left to happen; names the author's line.
        """
        return await self._journeys.result(self.id)

    async def history(self) -> WorkflowHistory:
        """What Temporal has written down, e.g. to count its events."""
        return await self._journeys.history(self.id)

    def __repr__(self) -> str:
        return f"<Run {self.id}>"

    def _mail(self, mail: Mail | str) -> Mail:
        if isinstance(mail, Mail):
            return mail
        sent = [one for one in self._journeys.outbox if one.template == mail and one.contact == self.contact]
        if not sent:
            raise Mistake(f"{self.contact} got no mail {mail!r}. They got: {self._journeys.outbox.names or 'none'}.")
        return sent[-1]
