"""Verbs that write to people, and what people do with what they got."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from temporalio.exceptions import ApplicationError

from tabiji.domain.changes import NotifyTeam
from tabiji.domain.conditions import Condition, on
from tabiji.domain.content import ContentTest
from tabiji.domain.durations import in_words
from tabiji.domain.orders import NotifySales, SendEmail, SendOutcome
from tabiji.domain.sending.asked import LONGEST_DELAY, MOST_DELAY
from tabiji.domain.tests import prop
from tabiji.errors import JourneyDefinitionError
from tabiji.journey.endings import Overdue
from tabiji.journey.journal import IfPassed, Place
from tabiji.journey.story import instant
from tabiji.journey.travel import Travel
from tabiji.journey.verbs.base import Verb, Verbs, kept_as

_SENT = kept_as(SendOutcome)


def delay_of(said: timedelta | Literal["drop"] | None) -> timedelta:
    """How long a mail may be held back, as its author says it.

    Raises:
        JourneyDefinitionError: Nobody waits for that long, or for less than no time.
    """
    delay = timedelta(0) if said is None or said == "drop" else said
    if not timedelta(0) <= delay <= LONGEST_DELAY:
        raise JourneyDefinitionError(
            f"delay={in_words(abs(delay))} of a mail is not between nothing and 31 days. Say delay=hours(6), or "
            "delay='drop' for a mail that goes out now or not at all."
        )
    return delay


class Messages(Verbs):
    """Mail to the contact, notices to the team."""

    def send_email(
        self,
        template: str,
        *,
        topic: str = "marketing",
        delivery: Literal["at_least_once", "at_most_once"] = "at_least_once",
        delay: timedelta | Literal["drop"] | None = MOST_DELAY,
        confirms: str | None = None,
        test: ContentTest | None = None,
        if_passed: IfPassed | None = None,
        step: str | None = None,
    ) -> Verb[SendOutcome]:
        """Send a template to the contact, once.

        Args:
            template: A file below templates/email, without its ending.
            topic: What the contact must have agreed to hear about.
            delivery: What to do when a worker dies between the relay's yes and our note of it:
                repeat under the same Message-ID, or rather not.
            delay: How long quiet hours, holidays and caps may hold it back, `hours(6)`, at most 31 days; then it is
                dropped, and the reason says `too late`. `"drop"` or None: it goes out now or not at all.
            confirms: The topic this mail asks its address to confirm: the template has the link as `confirm.url`.
            test: Of what it says, see `content_test`. Which arm they get is decided, and kept, when it is sent; the
                outcome's `variant` names it.
            if_passed: For a step added later: what it means for people who are past it.
            step: A name of its own, where the template is computed or used twice in a function.

        Returns:
            Its fate. True in a condition when it went out.
        """
        patience = delay_of(delay)
        tested = test.with_goals(self._travel.goals) if test is not None else None

        def order() -> SendEmail:
            return SendEmail(
                **self._travel.order(place),
                template=template,
                topic=topic,
                delivery=delivery,
                delay=patience,
                priority=self._travel.priority,
                confirms=confirms,
                content=tested,
                holdout=self._travel.holdout,
            )

        place = self._travel.place("send_email", step)
        return _once(self._travel, place, order, f"mail {template}", if_passed=if_passed, patience=patience)

    def notify_sales(
        self, reason: str, *, if_passed: IfPassed | None = None, step: str | None = None
    ) -> Verb[SendOutcome]:
        """Tell sales about this contact: who, why, and what they did lately."""

        def order() -> NotifySales:
            return NotifySales(**self._travel.order(place), reason=reason)

        place = self._travel.place("notify_sales", step)
        return _once(self._travel, place, order, f"tell sales: {reason}", if_passed=if_passed)

    def notify(
        self, team: str, text: str, *, if_passed: IfPassed | None = None, step: str | None = None
    ) -> Verb[SendOutcome]:
        """Tell a team about this contact, in your words. Where a team is reached is a setting."""

        def order() -> NotifyTeam:
            return NotifyTeam(**self._travel.order(place), team=team, text=text)

        place = self._travel.place("notify", step)
        return _once(self._travel, place, order, f"tell {team}: {text}", if_passed=if_passed)

    # Conditions over a mail of this journey

    def opened(self, mail: SendOutcome) -> Condition:
        """They opened this mail. Many mail programs open mails by themselves: a click says more."""
        return on("Email Opened", message=mail.message or "")

    def clicked(self, mail: SendOutcome, *, link: str | None = None) -> Condition:
        """They clicked in this mail; with `link`, on an address that contains this."""
        tests = (prop("url").contains(link),) if link is not None else ()
        return on("Email Link Clicked", *tests, message=mail.message or "")

    def replied(self, mail: SendOutcome) -> Condition:
        """They answered this mail."""
        return on("Email Replied", message=mail.message or "")


async def _once(
    travel: Travel,
    place: Place,
    order: Callable[[], SendEmail | NotifySales | NotifyTeam],
    what: str,
    *,
    if_passed: IfPassed | None,
    patience: timedelta | None = None,
) -> SendOutcome:
    return await travel.once(
        place,
        _SENT,
        lambda: _send(travel, place, order, what, patience),
        if_passed=if_passed,
        skipped=lambda: SendOutcome(state="skipped", reason="was past this step when it was added"),
    )


async def _send(
    travel: Travel,
    place: Place,
    order: Callable[[], SendEmail | NotifySales | NotifyTeam],
    what: str,
    patience: timedelta | None,
) -> SendOutcome:
    late = f", at most {in_words(patience)} late" if patience else ""
    while True:
        asked = travel.now()
        with travel.doing(place, what):
            try:
                sent = await travel.effect(place, order, SendOutcome, what[0].upper() + what[1:], skippable=True)
            except Overdue:
                sent = SendOutcome(state="skipped", reason="became due during a pause")
        # The ledger bounds this: it drops, with a reason, what it has deferred too often.
        if sent.state != "deferred" or sent.until is None:
            break
        # Against the time it was asked for, not against now: after an outage, or at a rehearsal's tempo, the
        # morning may have come before the answer.
        if sent.until <= asked:
            raise ApplicationError(
                f"{what} was deferred to {instant(sent.until)}, which had passed", type="deferred_to_the_past"
            )
        await travel.put_off(place, sent.until, f"{what}, not before {instant(sent.until)} ({sent.reason}){late}")
    told = sent.reason or sent.variant
    travel.passed(place, f"{what}: {sent.state}{f' ({told})' if told else ''}")
    return sent
