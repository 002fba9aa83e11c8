"""What a decision about messages says of experiments: who has been given an arm, and who was held out.

Written in the transaction that claims them, so a test of content costs a journey no step of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models import holdout
from models.experiments import Exposing, keep
from models.posting import Posting
from tabiji.domain.experiments import Draw, Drawn
from tabiji.domain.orders import SendOutcome
from tabiji.domain.sending.held_out import asked_about
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Standing


@dataclass(frozen=True, slots=True)
class Decided:
    """A message to a contact, what is known of them, and the verdict: None is send it now."""

    posting: Posting
    contact_id: UUID
    standing: Standing
    verdict: SendOutcome | None

    def exposing(self, drawn: Drawn) -> Exposing:
        """The contact, given an arm by this message."""
        of = self.posting
        return Exposing(
            contact_id=self.contact_id,
            drawn=drawn,
            at=of.at,
            enrollment_id=of.enrollment_id,
            broadcast_id=of.broadcast_id,
            step=of.step,
            test=of.test,
        )


async def give_arms(tx: AsyncConnection, decided: Iterable[Decided], house: House, now: datetime) -> set[str]:
    """Write down who was given which arm, and who was held out. The contacts are locked.

    Returns:
        Keys of messages written for another arm than their contact has by now: each must be written anew.
    """
    arms: dict[str, tuple[Draw, list[Exposing]]] = {}
    written_for: list[tuple[Decided, str]] = []
    for one in decided:
        tested = one.posting.tested
        if tested is not None and _counts(one):
            arms.setdefault(tested.draw.experiment, (tested.draw, []))[1].append(one.exposing(tested.drawn))
            written_for.append((one, tested.draw.experiment))
        for group in _groups(one, house):
            given = one.exposing(holdout.drawn(group.experiment, one.standing.held_out))
            arms.setdefault(group.experiment, (group, []))[1].append(given)
    # Sorted, so that two pages never wait for each other's experiments.
    has = {name: await keep(tx, *arms[name], recorded_at=now) for name in sorted(arms)}
    return {
        one.posting.key
        for one, name in written_for
        if one.posting.tested is not None and has[name][one.contact_id] != one.posting.tested.drawn.arm
    }


def _counts(one: Decided) -> bool:
    """Whether somebody has come to the test by this: it goes out, or waits for the send time that is tested."""
    if one.verdict is None:
        return True
    tested = one.posting.tested
    return one.verdict.state == "deferred" and tested is not None and tested.content.is_about_time


def _groups(one: Decided, house: House) -> tuple[Draw, ...]:
    """Holdouts somebody has come to by this: it goes out to them, or would, were they not held out."""
    if one.verdict is not None and one.verdict.reason != "held_out":
        return ()
    return asked_about(one.posting.asked(one.posting.at), house)
