"""Groups that get no marketing at all, so that what it brings can be seen by comparison.

    the house's      TABIJI_HOLDOUT=0.05           of all people, from all marketing
    a journey's      @journey(holdout=0.1)         of those who come to a mail of it, from that journey's mails

Who is in one is drawn like the arm of an experiment, sticks, and is read out like one. People are compared from the
moment at which they would have got their first such mail, so only those count who may be written to at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from tabiji.domain.conditions import Condition
from tabiji.domain.experiments import Design, Draw, plainly
from tabiji.domain.orders import SendOutcome
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Standing

OF_THE_HOUSE = "holdout"
TREATED, HELD_OUT = "treated", "held_out"
LONGEST_SHARE = 0.5
WINDOW = timedelta(days=30)
"""How long people of a journey's groups are followed."""


def holdout(
    share: float, goals: Iterable[Condition], *, journey: str | None = None, within: timedelta = WINDOW
) -> Draw:
    """A group to be held out.

    Args:
        share: Of people; more than 0.
        goals: What marketing is for.
        journey: Whose mails they do not get; None: any marketing.
        within: How long people of both groups are followed.
    """
    return Draw(
        experiment=OF_THE_HOUSE if journey is None else f"holdout of {journey}"[:100],
        arms=(TREATED, HELD_OUT),
        weights=(1 - share, share),
        design=Design(goals=plainly(goals), within=within),
        kind="holdout",
    )


def asked_about(asked: Asked, house: House) -> tuple[Draw, ...]:
    """The holdouts a message falls under."""
    if house.topics.is_transactional(asked.topic):
        return ()
    return tuple(one for one in (house.holdout, asked.holdout) if one is not None)


def not_held_out(standing: Standing, asked: Asked, house: House) -> SendOutcome | None:
    """Who is held out gets nothing, so that there is something to compare with."""
    names = {one.experiment for one in asked_about(asked, house)}
    return SendOutcome(state="refused", reason="held_out") if names & standing.held_out else None
