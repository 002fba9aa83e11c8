"""Experiments as the API shows them: arms, people, conversions, and what can be said."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import AnyRow, table
from models.experiment import Experiment
from models.exposure import Exposure
from models.reads.experiment_counts import Counted, Fates, counted, fates
from models.reads.shapes import Shown
from tabiji.domain.durations import in_words
from tabiji.domain.experiment_words import in_percent, next_step, says
from tabiji.domain.experiments import Design
from tabiji.domain.stats.tally import Batch
from tabiji.domain.stats.verdict import Reading, Verdict, read
from tabiji.errors import UnknownExperiment

Kind = Literal["split", "content", "holdout"]


class Uplift(Shown):
    """By how much an arm's rate is above the first arm's: 0.1 is 10 % more. It holds whenever one looks."""

    low: float
    high: float | None = Field(description="null: nobody can say yet")
    in_words: str = Field(examples=["-3% to +31%"])


class MailFates(Shown):
    """What people, not programs, did with an arm's mails. Told beside; no verdict is made of it."""

    sent: int
    opened: int
    clicked: int
    replied: int
    unsubscribed: int
    complained: int


class ArmShown(Shown):
    """One arm."""

    arm: str
    weight: float = Field(description="of new people")
    people: int = Field(description="who were given it, however")
    waiting: int = Field(description="of them, those whose time to convert is not over: they are not counted yet")
    by_winner: int = Field(description="of them, those who got it because it was decided: they are not compared")
    counted: int
    converted: int
    rate: float
    low: float = Field(description="the rate is believed to be above this with 97.5 %")
    high: float = Field(description="and below this with 97.5 %")
    best: float = Field(description="probability of being the best arm; a belief, no proof")
    loss: float = Field(description="of the rate, what choosing it loses on average where another is better")
    uplift: Uplift | None = Field(description="over the first arm; null for the first")
    mails: MailFates | None = Field(description="of a test of content")


class DecisionShown(Shown):
    """What everybody gets who has no arm yet."""

    arm: str
    at: datetime
    by: str = Field(description="a person, or 'the test'")
    reason: str | None


class ExperimentListed(Shown):
    """An experiment, without its figures."""

    name: str
    kind: Kind
    arms: list[str]
    goals: list[str] = Field(description="in words; empty: a click in the mail, for tests of content")
    within: str
    people: int
    decision: DecisionShown | None
    since: datetime


class ExperimentShown(ExperimentListed):
    """An experiment and what it says now."""

    verdict: Verdict
    winner: str | None
    says: str
    next: str = Field(description="what to do")
    p: float = Field(description="always-valid p-value of the leading arm being no better than its closest rival")
    share_mismatch: float = Field(description="always-valid p-value of people having got their arms by the weights")
    more_people: int | None = Field(description="about so many more in each arm are needed")
    at_least: int
    method: Literal["shares", "bandit"]
    when_won: Literal["ask", "auto"]
    detail: list[ArmShown]


async def list_experiments(tx: AsyncConnection) -> list[ExperimentListed]:
    """All of them, the latest first."""
    rows, exposures = table(Experiment), table(Exposure)
    count = select(exposures.c.experiment, func.count().label("people")).where(exposures.c.test.is_(False))
    people = {row.experiment: row.people for row in await tx.execute(count.group_by(exposures.c.experiment))}
    found = await tx.execute(select(rows).order_by(rows.c.recorded_at.desc(), rows.c.name))
    return [ExperimentListed(**_listed(row, people.get(row.name, 0))) for row in found]


async def show_experiment(tx: AsyncConnection, name: str, *, now: datetime) -> ExperimentShown:
    """One, read out. `now` is journey time.

    Raises:
        UnknownExperiment: Nobody has been put into one of that name.
    """
    rows = table(Experiment)
    row = (await tx.execute(select(rows).where(rows.c.name == name))).one_or_none()
    if row is None:
        raise UnknownExperiment(name)
    reading, figures, design = await reading_of(tx, row, now=now)
    waiting = sum(figures.waiting.values())
    became = await fates(tx, name) if row.kind == "content" else {}
    return ExperimentShown(
        **_listed(row, sum(figures.people.values())),
        verdict=reading.verdict,
        winner=reading.winner,
        says=says(reading, waiting=waiting, within=design.within),
        next=next_step(reading, decided=row.decided, winner=design.winner, kind=row.kind).replace("NAME", repr(name)),
        p=reading.p,
        share_mismatch=reading.mismatch,
        more_people=reading.more.people if reading.more is not None else None,
        at_least=design.at_least,
        method=design.method,
        when_won=design.winner,
        detail=[_arm(arm, row, reading, figures, became.get(arm)) for arm in row.arms],
    )


async def reading_of(tx: AsyncConnection, row: AnyRow, *, now: datetime) -> tuple[Reading, Counted, Design]:
    """What an experiment's row comes to."""
    design = Design.model_validate(row.design)
    figures = await counted(tx, row.name, design, kind=row.kind, now=now)
    bandit = design.method == "bandit"
    reading = read(
        row.arms,
        [Batch(row.weights, figures.bandit)] if bandit else figures.batches,
        at_least=design.at_least,
        given=figures.given,
        has_goal=bool(design.goals) or row.kind == "content",
        proves=not bandit,
    )
    return reading, figures, design


def _listed(row: AnyRow, people: int) -> dict[str, Any]:
    design = Design.model_validate(row.design)
    decision = None
    if row.decided is not None:
        decision = DecisionShown(arm=row.decided, at=row.decided_at, by=row.decided_by, reason=row.reason)
    return {
        "name": row.name,
        "kind": row.kind,
        "arms": row.arms,
        "goals": [str(goal) for goal in design.goals],
        "within": in_words(design.within),
        "people": people,
        "decision": decision,
        "since": row.recorded_at,
    }


def _arm(arm: str, row: AnyRow, reading: Reading, figures: Counted, became: Fates | None) -> ArmShown:
    tally, belief, over = reading.tallies[arm], reading.beliefs[arm], reading.uplift.get(arm)
    uplift = None
    if over is not None:
        uplift = Uplift(low=over.low, high=None if over.high == float("inf") else over.high, in_words=in_percent(over))
    return ArmShown(
        arm=arm,
        weight=row.weights.get(arm, 0.0),
        people=figures.people[arm],
        waiting=figures.waiting[arm],
        by_winner=figures.by_winner[arm],
        counted=tally.people,
        converted=tally.converted,
        rate=tally.rate,
        low=belief.low,
        high=belief.high,
        best=belief.best,
        loss=belief.loss,
        uplift=uplift,
        mails=MailFates.model_validate(became, from_attributes=True) if became is not None else None,
    )
