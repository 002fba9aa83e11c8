"""What an experiment says of its people, on real databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from models.database import Database, table
from models.deciding import BY_THE_TEST, decide, weigh
from models.experiment import Experiment
from models.experiments import drawn
from models.exposure import Exposure
from models.message import Message
from models.reads.experiments import ExperimentShown, list_experiments, show_experiment
from tabiji.domain.conditions import on
from tabiji.domain.experiments import Draw
from tabiji.domain.sending.held_out import holdout
from tabiji.domain.stats.verdict import Verdict
from tabiji.domain.tests import prop
from tabiji.errors import InvalidChange, UnknownExperiment
from tests.experiments.crowd import LATER, NOON, asked, crowd


async def shown(database: Database, name: str = "subject") -> ExperimentShown:
    async with database.read() as tx:
        return await show_experiment(tx, name, now=LATER)


async def test_a_winner_is_said_with_what_to_do(database: Database) -> None:
    await crowd(database, asked(), {"plain": (500, 20), "warm": (500, 70)})
    it = await shown(database)
    assert (it.verdict, it.winner) == (Verdict.WINNER, "warm")
    assert it.says.startswith("warm wins")
    assert it.next.endswith("tabiji experiment decide 'subject' warm.")
    plain, warm = it.detail
    assert (plain.people, plain.counted, plain.converted, plain.uplift) == (500, 500, 20, None)
    assert warm.rate == pytest.approx(0.14)
    assert warm.best > 0.999
    assert warm.uplift is not None
    assert warm.uplift.low > 0
    assert plain.best + warm.best == pytest.approx(1)


async def test_not_enough_data_is_an_answer_with_how_many_more(sqlite: Database) -> None:
    await crowd(sqlite, asked(at_least=100), {"plain": (60, 3), "warm": (70, 5)})
    few = await shown(sqlite)
    assert (few.verdict, few.more_people) == (Verdict.NOT_ENOUGH, 40)
    assert few.says == (
        "Not enough data: 130 people counted. About 40 more in each arm are asked for before anything is said."
    )
    await crowd(sqlite, asked("more"), {"plain": (400, 20), "warm": (400, 22)})
    more = await shown(sqlite, "more")
    assert more.verdict is Verdict.NOT_ENOUGH
    assert more.more_people is not None
    assert more.more_people > 1_000
    assert "to see an uplift of 20% in four cases of five" in more.says


async def test_nobody_has_converted_yet(sqlite: Database) -> None:
    await crowd(sqlite, asked(), {"plain": (200, 0), "warm": (200, 0)})
    it = await shown(sqlite)
    assert it.verdict is Verdict.NOT_ENOUGH
    assert "Nobody has converted yet" in it.says


async def test_people_whose_time_is_not_over_are_not_counted(database: Database) -> None:
    """Neither those who have converted early: they would favour the arm given out most at the moment."""
    await crowd(database, asked(), {"plain": (150, 10), "warm": (150, 12)})
    await crowd(database, asked(), {"plain": (10, 9), "warm": (20, 19)}, at=LATER - timedelta(days=3))
    it = await shown(database)
    assert [(arm.people, arm.waiting, arm.counted, arm.converted) for arm in it.detail] == [
        (160, 10, 150, 10),
        (170, 20, 150, 12),
    ]
    assert "30 more are within their 7 days" in it.says


async def test_only_the_goal_in_its_window_counts(database: Database) -> None:
    await crowd(database, asked(), {"plain": (100, 50), "warm": (100, 50)}, after=timedelta(days=8))
    await crowd(database, asked(), {"plain": (100, 50), "warm": (100, 50)}, after=-timedelta(hours=1))
    await crowd(database, asked(), {"plain": (100, 50), "warm": (100, 50)}, properties={"machine": True})
    await crowd(database, asked(), {"plain": (100, 7), "warm": (100, 6)}, after=timedelta(days=7))
    assert [(arm.counted, arm.converted) for arm in (await shown(database)).detail] == [(400, 7), (400, 6)]


async def test_a_goal_may_ask_for_properties_and_for_either_of_two(sqlite: Database) -> None:
    goal = on("Order Completed", prop("total") >= 100) | on("Demo Attended")
    draw = asked().model_copy(update={"design": asked().design.model_copy(update={"goals": goal.of})})
    await crowd(sqlite, draw, {"plain": (100, 30), "warm": (100, 0)}, properties={"total": 50})
    await crowd(sqlite, draw, {"plain": (100, 0), "warm": (100, 30)}, properties={"total": 150})
    it = await shown(sqlite)
    assert [arm.converted for arm in it.detail] == [0, 30]
    assert it.goals == ["Order Completed (total >= 100)", "Demo Attended"]


async def test_test_contacts_are_out(sqlite: Database) -> None:
    await crowd(sqlite, asked(), {"plain": (200, 5), "warm": (200, 5)})
    await crowd(sqlite, asked(), {"plain": (500, 0), "warm": (500, 500)}, test=True)
    it = await shown(sqlite)
    assert [arm.people for arm in it.detail] == [200, 200]
    async with sqlite.read() as tx:
        [listed] = await list_experiments(tx)
    assert listed.people == 400


async def test_shares_that_cannot_be_chance_are_said_before_anything_else(sqlite: Database) -> None:
    await crowd(sqlite, asked(), {"plain": (900, 20), "warm": (600, 200)})
    it = await shown(sqlite)
    assert it.verdict is Verdict.MISMATCH
    assert it.winner is None
    assert "do not trust" in it.says


async def test_arms_that_are_alike_are_called_so(sqlite: Database) -> None:
    await crowd(sqlite, asked(), {"plain": (9_000, 8_100), "warm": (9_000, 8_100)})
    assert (await shown(sqlite)).verdict is Verdict.ALIKE


async def test_without_a_goal_nothing_is_said(sqlite: Database) -> None:
    draw = asked().model_copy(update={"design": asked().design.model_copy(update={"goals": ()})})
    await crowd(sqlite, draw, {"plain": (300, 5), "warm": (300, 5)})
    it = await shown(sqlite)
    assert it.verdict is Verdict.NO_GOAL
    assert "goal=on" in it.next


async def test_weights_that_were_changed_on_the_way_are_reckoned_with(sqlite: Database) -> None:
    """Thrice the people, thrice the conversions; then the other way round, when fewer buy."""
    begun = asked().model_copy(update={"weights": (3.0, 1.0)})
    await crowd(sqlite, begun, {"plain": (900, 180), "warm": (300, 60)})
    turned = asked().model_copy(update={"weights": (1.0, 3.0)})
    await crowd(sqlite, turned, {"plain": (300, 15), "warm": (900, 45)})
    it = await shown(sqlite)
    assert it.verdict is Verdict.NOT_ENOUGH
    assert [arm.weight for arm in it.detail] == [1, 3]


# Decisions


async def test_a_proved_winner_is_given_to_the_rest_by_itself_and_written_down(database: Database) -> None:
    draw = asked(winner="auto")
    known = await crowd(database, draw, {"plain": (500, 20), "warm": (500, 70)})
    assert await weigh(database, now=LATER) == ["subject"]
    it = await shown(database)
    assert it.decision is not None
    assert (it.decision.arm, it.decision.by) == ("warm", BY_THE_TEST)
    assert "70 of 500" in (it.decision.reason or "")

    fresh = (await crowd(database, asked("other"), {"plain": (50, 0)}))[:50]
    async with database.read() as tx:
        given = await drawn(tx, draw, [*fresh, *known[:10]])
    assert {given[one].arm for one in fresh} == {"warm"}
    assert {given[one].chosen for one in fresh} == {"winner"}
    assert {given[one].arm for one in known[:10]} == {"plain"}, "who has an arm keeps it"


async def test_those_who_got_the_winner_are_not_compared_with_those_before(sqlite: Database) -> None:
    await crowd(sqlite, asked(), {"plain": (300, 20), "warm": (300, 22)})
    before = await shown(sqlite)
    await crowd(sqlite, asked(), {"warm": (500, 400)}, chosen="winner")
    after = await shown(sqlite)
    assert (after.verdict, after.detail[1].converted) == (before.verdict, before.detail[1].converted)
    assert after.detail[1].by_winner == 500


async def test_nothing_is_decided_before_the_least_number_of_people(sqlite: Database) -> None:
    await crowd(sqlite, asked(winner="auto", at_least=1_000), {"plain": (500, 20), "warm": (500, 70)})
    assert await weigh(sqlite, now=LATER) == []
    assert (await shown(sqlite)).decision is None


async def test_an_experiment_that_asks_is_left_to_people(sqlite: Database) -> None:
    await crowd(sqlite, asked(), {"plain": (500, 20), "warm": (500, 70)})
    assert await weigh(sqlite, now=LATER) == []


async def test_each_experiment_is_weighed_by_one_of_several_processes(database: Database) -> None:
    for name in ("one", "two", "three"):
        await crowd(database, asked(name, winner="auto"), {"plain": (500, 20), "warm": (500, 70)})
    done = await asyncio.gather(*(weigh(database, now=LATER) for _ in range(4)))
    assert sorted(name for some in done for name in some) == ["one", "three", "two"]
    assert await weigh(database, now=LATER) == []


async def test_a_person_may_decide_against_the_figures_and_take_it_back(sqlite: Database) -> None:
    draw = asked(winner="auto")
    await crowd(sqlite, draw, {"plain": (500, 20), "warm": (500, 70)})
    await decide(sqlite, "subject", "plain", by="Sato", reason="it fits us")
    assert await weigh(sqlite, now=LATER) == [], "whoever has decided is not overruled"
    it = await shown(sqlite)
    assert it.decision is not None
    assert (it.decision.arm, it.decision.by, it.decision.reason) == ("plain", "Sato", "it fits us")
    await decide(sqlite, "subject", None, by="Sato")
    assert (await shown(sqlite)).decision is None
    with pytest.raises(UnknownExperiment, match="no arm 'hot', only plain, warm"):
        await decide(sqlite, "subject", "hot", by="Sato")
    with pytest.raises(UnknownExperiment, match="tabiji experiment list"):
        await decide(sqlite, "other", "plain", by="Sato")


async def test_a_holdout_says_whether_marketing_brings_more_than_none(sqlite: Database) -> None:
    group = holdout(0.25, asked().design.goals)
    await crowd(sqlite, group, {"treated": (900, 150), "held_out": (300, 10)})
    it = await shown(sqlite, "holdout")
    assert (it.verdict, it.winner) == (Verdict.WINNER, "treated")
    assert it.next.startswith("Marketing brings more than none")
    assert it.detail[1].uplift is not None
    with pytest.raises(InvalidChange, match="is a holdout"):
        await decide(sqlite, "holdout", "treated", by="Sato")


# Bandits


async def test_a_bandit_learns_from_people_whose_time_is_over(database: Database) -> None:
    """Late conversions make no arm look bad that was only given lately."""
    draw = asked(method="bandit")
    await crowd(database, draw, {"plain": (400, 10), "warm": (400, 60)}, chosen="bandit")
    await crowd(
        database, draw, {"plain": (400, 399)}, chosen="bandit", at=LATER - timedelta(hours=1), after=timedelta()
    )
    await weigh(database, now=LATER)
    async with database.read() as tx:
        row = (await tx.execute(select(table(Experiment)))).one()
    assert row.counted == {"plain": [400, 10], "warm": [400, 60]}

    fresh = await crowd(database, asked("other"), {"plain": (60, 0)})
    async with database.read() as tx:
        given = await drawn(tx, draw, fresh)
        again = await drawn(tx, draw, fresh)
    assert given == again
    assert {one.arm for one in given.values()} == {"warm"}
    it = await shown(database)
    assert it.verdict is Verdict.BANDIT
    assert (it.winner, it.p, [arm.uplift for arm in it.detail]) == (None, 1.0, [None, None])
    assert "no proof" in it.says


# The rest


async def test_what_people_did_with_an_arms_mails_is_told_beside(sqlite: Database) -> None:
    draw = Draw(experiment="subject", arms=("plain", "warm"), weights=(1, 1), kind="content")
    people = await crowd(sqlite, draw, {"plain": (3, 0), "warm": (3, 0)})
    async with sqlite.write() as tx:
        for at, contact in enumerate(people):
            await tx.execute(
                table(Message)
                .insert()
                .values(
                    key=f"k{at}", public_id=f"p{at}", contact_id=contact, step="s", visit=1, audience="contact",
                    channel="email", template="t", experiment="subject", variant="plain" if at < 3 else "warm",
                    state="sent", token="t", run_id="r", activity_id="a", attempt=1, lease_until=NOON, priority=0,
                    asked_at=NOON, deferrals=0, maybe_twice=0, test=False, at=NOON, recorded_at=NOON,
                    opened_at=NOON if at % 2 else None, clicked_at=NOON + timedelta(minutes=5) if at == 5 else None,
                )
            )  # fmt: skip
    it = await shown(sqlite)
    plain, warm = (arm.mails for arm in it.detail)
    assert plain is not None
    assert warm is not None
    assert (plain.sent, plain.opened, plain.clicked) == (3, 1, 0)
    assert (warm.sent, warm.opened, warm.clicked) == (3, 2, 1)
    assert [arm.converted for arm in it.detail] == [0, 1], "without a goal, a click in the mail counts"


async def test_an_unknown_experiment_is_said_to_be_one(sqlite: Database) -> None:
    with pytest.raises(UnknownExperiment):
        await shown(sqlite)
    async with sqlite.read() as tx:
        assert (await tx.execute(select(table(Exposure)))).all() == []
