"""Stories every house has to tell in the same way. Each plays with a house and returns its trace."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import date, time, timedelta
from typing import Any, ClassVar

from tabiji import after, all_of, always, contact_date, days, never, on, score_reached, sequence, tag_added, weekday
from tabiji.domain.calendar import as_when
from tabiji.domain.changes import (
    AddToAttribute,
    ClearAttribute,
    CreateTask,
    Expose,
    JoinList,
    LeaveList,
    LookUp,
    SetAttribute,
    SetStage,
    Untag,
)
from tabiji.domain.conditions import Condition
from tabiji.domain.journeys import Catalog, JourneySpec, Reentry
from tabiji.domain.orders import (
    AdjustScore,
    Appoint,
    Ended,
    Ending,
    Enter,
    Listen,
    LookBack,
    Outcome,
    SendEmail,
    StepOrder,
    TagContact,
)
from tabiji.domain.patterns import Pattern
from tests.contract.houses import Did, House, Trace

ANN = "00000000-0000-7000-8000-00000000000a"
BEN = "00000000-0000-7000-8000-00000000000b"
BOUGHT = on("Order Completed", take=("total",))

Scenario = Callable[[House], Coroutine[Any, Any, Trace]]
SCENARIOS: list[Scenario] = []


def scenario(play: Scenario) -> Scenario:
    """Have every house play it."""
    SCENARIOS.append(play)
    return play


def spec(
    name: str,
    *,
    trigger: Condition | None = None,
    goal: Condition | None = None,
    exits: tuple[Condition, ...] = (),
    reentry: Reentry = always,
) -> JourneySpec:
    """A journey as the house sees it."""
    return JourneySpec(
        name=name,
        title=name,
        triggers=(trigger,) if trigger is not None else (),
        goals=(goal,) if goal is not None else (),
        exits=exits,
        reentry=reentry,
    )


ONBOARDING = spec("onboarding")


class Onboarding:
    """Where a goal leads to."""

    spec: ClassVar[JourneySpec] = ONBOARDING


CATALOG = Catalog(
    [
        ONBOARDING,
        spec(
            "nurture",
            trigger=on("Form Sent", form="whitepaper", take=("form",)),
            goal=on("Order Completed", then=Onboarding),
            exits=(on("Unsubscribed"),),
        ),
        spec("once", trigger=on("First Visit"), reentry=never),
        spec("quarterly", trigger=on("Asked"), reentry=after(days=90)),
        spec("order", trigger=on("Order Placed"), goal=on("Order Paid"), reentry=always.per("order_id", at_once=2)),
        spec("vip", trigger=tag_added("vip")),
        spec("hot", trigger=score_reached(50)),
    ]
)


class Play:
    """A scenario under way: what it writes with, and its trace."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.trace: Trace = []
        self._number = 0

    async def did(self, *names: str, who: str = ANN, **properties: Any) -> None:
        """Several things in one batch, new ones."""
        batch: list[Did] = []
        for name in names:
            self._number += 1
            batch.append(Did(who, name, f"m{self._number}", properties))
        self.trace.append(await self.house.record(*batch))

    async def records(self, *batch: Did) -> None:
        """A batch as it is."""
        self.trace.append(await self.house.record(*batch))

    async def orders(
        self, kind: type[StepOrder], enrollment: str, step: str = "step", visit: int = 1, **more: Any
    ) -> None:
        """A journey's order."""
        contact = enrollment.split("/")[1]
        order = kind(
            enrollment_id=enrollment, contact_id=contact, step=step, visit=visit, at=self.house.clock.at, **more
        )
        self.trace.append(await self.house.order(order))

    async def listens(
        self,
        enrollment: str,
        pattern: Pattern,
        step: str = "wait",
        *,
        entry: int = 0,
        consumed: tuple[int, ...] = (),
        **more: Any,
    ) -> None:
        """A journey comes to a wait. `entry` and `consumed` are places in the order."""
        taken = tuple([await self.house.seq_of(place) for place in consumed])
        await self.orders(
            Listen,
            enrollment,
            step,
            wall=self.house.clock.at,
            condition=pattern,
            entry_seq=await self.house.seq_of(entry),
            consumed=taken,
            **more,
        )

    async def ends(self, enrollment: str, ending: Ending = Ending.COMPLETED, **more: Any) -> None:
        """A journey is over."""
        outcome = Outcome(ending=ending, reason="went all the way")
        await self.orders(Ended, enrollment, "ended", outcome=outcome, wall=self.house.clock.at, **more)

    def passes(self, span: timedelta) -> None:
        """Time."""
        self.house.clock.at += span


async def begun(house: House, *people: str) -> Play:
    for who in people or (ANN,):
        await house.knows(who)
    return Play(house)


NURTURE = f"nurture/{ANN}/1"


@scenario
async def a_trigger_enters_and_a_goal_hands_over(house: House) -> Trace:
    play = await begun(house)
    await play.did("Form Sent", form="other")
    await play.did("Form Sent", form="whitepaper")
    await play.did("Form Sent", form="whitepaper")
    await play.did("Order Completed", total=3)
    await play.ends(NURTURE, Ending.GOAL, then="onboarding", goal_seq=await house.seq_of(4))
    await play.did("Order Completed", total=4)
    return play.trace


@scenario
async def a_batch_counts_in_its_order(house: House) -> Trace:
    play = await begun(house, ANN, BEN)
    await play.records(
        Did(ANN, "Page Viewed", "a"),
        Did(ANN, "Form Sent", "b", {"form": "whitepaper"}),
        Did(BEN, "Order Completed", "c"),
        Did(ANN, "Page Viewed", "d"),
        Did(ANN, "Order Completed", "e", {"total": 1}),
        Did(ANN, "Page Viewed", "d"),
    )
    await play.listens(NURTURE, on("Page Viewed"), entry=2)
    return play.trace


@scenario
async def a_copy_wakes_nobody(house: House) -> Trace:
    play = await begun(house)
    await play.did("Form Sent", form="whitepaper")
    await play.listens(NURTURE, on("Page Viewed"), entry=1)
    for _ in range(2):
        await play.records(Did(ANN, "Page Viewed", "copy", traits={"plan": "pro"}))
    await play.records(Did(ANN, "Page Viewed", "new", traits={"plan": "pro", "seats": 3}))
    return play.trace


@scenario
async def a_wait_takes_the_earliest_that_is_left(house: House) -> Trace:
    play = await begun(house)
    viewed = on("Page Viewed", take=("path",))
    await play.did("Page Viewed", path="/before")
    await play.did("Form Sent", form="whitepaper")
    for path in ("/a", "/b", "/c"):
        await play.did("Page Viewed", path=path)
    await play.listens(NURTURE, viewed, "first", entry=2)
    await play.listens(NURTURE, viewed, "second", entry=2, consumed=(3,), done=(("first", 1),))
    await play.listens(NURTURE, viewed, "third", entry=2, consumed=(3, 4, 5), done=(("second", 1),))
    await play.did("Page Viewed", path="/d")
    await play.listens(NURTURE, viewed, "third", entry=2, consumed=(3, 4, 5))
    await play.orders(LookBack, NURTURE, condition=viewed, entry_seq=await house.seq_of(2))
    return play.trace


@scenario
async def from_now_on_counts_from_the_first_time_it_was_said(house: House) -> Trace:
    play = await begun(house)
    await play.did("Form Sent", form="whitepaper")
    await play.did("Page Viewed")
    await play.listens(NURTURE, on("Page Viewed"), entry=1, from_now=True)
    await play.did("Page Viewed")
    await play.listens(NURTURE, on("Page Viewed"), entry=1, from_now=True)
    await play.listens(NURTURE, on("Page Viewed"), "other", entry=1, from_now=True)
    return play.trace


@scenario
async def patterns_are_complete_or_nothing(house: House) -> Trace:
    play = await begun(house)
    await play.did("Form Sent", form="whitepaper")
    page, form = on("Page Viewed", take=("path",)), on("Signed Up")
    await play.listens(NURTURE, page.times(3, within=days(7)), "thrice", entry=1)
    await play.listens(NURTURE, sequence(page, form, within=days(1)), "then", entry=1)
    await play.listens(NURTURE, all_of(page, form), "both", entry=1)
    await play.listens(NURTURE, form | BOUGHT, "either", entry=1)
    for path in ("/a", "/b"):
        await play.did("Page Viewed", path=path)
        play.passes(days(2))
    await play.did("Signed Up")
    await play.did("Page Viewed", path="/c")
    await play.did("Signed Up")
    await play.listens(NURTURE, page.times(2), "again", entry=1, consumed=(2,))
    return play.trace


@scenario
async def goals_come_before_exits_and_exits_before_waits(house: House) -> Trace:
    play = await begun(house)
    await play.did("Form Sent", form="whitepaper")
    await play.listens(NURTURE, on("Unsubscribed"), entry=1)
    await play.did("Unsubscribed", topic="marketing")
    await play.listens(
        NURTURE, on("Page Viewed"), "late", entry=1, goals=(on("Order Completed"),), exits=(on("Unsubscribed"),)
    )
    await play.ends(NURTURE, Ending.EXITED)
    await play.did("Unsubscribed", topic="marketing")
    return play.trace


@scenario
async def an_event_for_one_enrollment_is_heard_by_no_other(house: House) -> Trace:
    play = await begun(house)
    await play.did("Form Sent", form="whitepaper")
    await play.did("First Visit")
    once = f"once/{ANN}/1"
    for enrollment in (NURTURE, once):
        await play.listens(enrollment, on("Demo Attended"), entry=1)
    await play.records(
        Did(ANN, "Demo Attended", "only", only=once), Did(ANN, "Form Sent", "x", {"form": "whitepaper"}, only=once)
    )
    for enrollment in (NURTURE, once):
        await play.listens(enrollment, on("Demo Attended"), "again", entry=1)
    return play.trace


@scenario
async def who_may_enter_again(house: House) -> Trace:
    play = await begun(house)
    for name, enrollment in (("First Visit", "once"), ("Asked", "quarterly")):
        await play.did(name)
        await play.did(name)
        await play.ends(f"{enrollment}/{ANN}/1")
        await play.did(name)
        play.passes(days(91))
        await play.did(name)
        play.trace.append(await house.enter(enrollment, ANN))
    return play.trace


@scenario
async def entered_once_per_key_and_so_many_at_once(house: House) -> Trace:
    play = await begun(house)
    for order in ("1", "1", 2, None, True, "3"):
        await play.did("Order Placed", order_id=order)
    await play.did("Order Paid", order_id="1")
    await play.ends(f"order/{ANN}/1", Ending.GOAL)
    await play.did("Order Placed", order_id="3")
    play.trace.append(await house.enter("order", ANN, entry_key="1"))
    return play.trace


@scenario
async def entered_by_a_step_once_and_the_parent_hears_the_end(house: House) -> Trace:
    play = await begun(house)
    await play.did("Form Sent", form="whitepaper")
    for _ in range(2):
        await play.orders(Enter, NURTURE, "enter", journey="onboarding", wall=house.clock.at, awaited=True)
    await play.orders(Enter, NURTURE, "enter", 2, journey="onboarding", wall=house.clock.at)
    await play.orders(Enter, NURTURE, "enter", 3, journey="unheard-of", wall=house.clock.at)
    await play.listens(NURTURE, on("Journey Ended", take=("ending",)), entry=1)
    await play.ends(f"onboarding/{ANN}/1")
    await play.orders(Enter, NURTURE, "enter", 4, journey="onboarding", wall=house.clock.at, awaited=True)
    await play.ends(NURTURE, sub_journeys=(f"onboarding/{ANN}/2",))
    return play.trace


@scenario
async def what_is_said_after_the_end_opens_nothing(house: House) -> Trace:
    play = await begun(house)
    await play.did("First Visit")
    once = f"once/{ANN}/1"
    play.passes(days(1))
    await play.ends(once)
    await play.listens(once, on("Page Viewed"), entry=1)
    late: dict[str, Any] = {
        "when": as_when(contact_date("visit")),
        "started": house.clock.at,
        "wall": house.clock.at - days(1),
    }
    await play.orders(Appoint, once, "too late to move", **late)
    await play.did("Page Viewed")
    play.passes(days(1))
    await play.listens(once, on("Page Viewed"), "after a reset", entry=1)
    await play.did("Asked")
    play.passes(days(91))
    await play.ends(f"quarterly/{ANN}/1")
    await play.did("Asked")
    play.passes(days(1))
    await play.listens(f"quarterly/{ANN}/1", on("Page Viewed"), "when they have entered anew", entry=3)
    await play.listens(f"once/{ANN}/9", on("Page Viewed"), entry=1)
    await play.listens(f"once/{BEN}/1", on("Page Viewed"), entry=1)
    return play.trace


@scenario
async def changes_count_once_and_are_told(house: House) -> Trace:
    play = await begun(house)
    await play.did("First Visit")
    once = f"once/{ANN}/1"
    changes = on("Tag Added", take=("tag",)) | on("Score Changed", take=("before", "after", "reason"))
    await play.listens(once, changes, entry=1)
    for visit in (1, 1, 2):
        await play.orders(TagContact, once, "tag", visit, tag="vip")
    for visit, points in ((1, 30), (1, 30), (2, 25), (3, 0), (4, -60)):
        await play.orders(AdjustScore, once, "score", visit, points=points, reason="pricing")
    await play.orders(Untag, once, "untag", tag="vip")
    await play.orders(Untag, once, "untag", 2, tag="vip")
    await play.orders(TagContact, once, "tag", 3, tag="vip")
    await play.orders(TagContact, once, "tag", 4, tag=" ")
    for what, name in (("score", ""), ("tag", "vip"), ("tag", "other"), ("stage", ""), ("shoe size", "")):
        await play.orders(LookUp, once, "look", what=what, name=name)
    return play.trace


@scenario
async def attributes_lists_and_stages(house: House) -> Trace:
    play = await begun(house)
    await play.did("First Visit")
    once = f"once/{ANN}/1"
    told = on("Attribute Changed", take=("name", "before", "after")) | on("List Joined") | on("List Left")
    await play.listens(once, told | on("Stage Changed", take=("before", "after")), entry=1)
    for visit, (name, value) in enumerate(
        [
            ("plan", "pro"),
            ("plan", "pro"),
            ("seats", 3),
            ("paid", True),
            ("paid", 1),
            ("plan", None),
            ("timezone", "Asia/Tokyo"),
            ("timezone", "Mars"),
            ("locale", "ja-JP"),
            ("email", "x@example.com"),
            ("", 1),
            ("name", "\ud800"),
        ]
    ):
        await play.orders(SetAttribute, once, "set", visit, name=name, value=value)
    for visit, (name, amount) in enumerate(
        [("seats", 2.5), ("visits", 1), ("visits", 0), ("locale", 1), ("seats", float("inf"))]
    ):
        await play.orders(AddToAttribute, once, "add", visit, name=name, amount=amount)
    for visit in (1, 1, 2):
        await play.orders(ClearAttribute, once, "clear", visit, name="seats")
        await play.orders(JoinList, once, "join", visit, list="news")
        await play.orders(SetStage, once, "stage", visit, stage="mql")
    await play.orders(LeaveList, once, "leave", list="news")
    await play.orders(LeaveList, once, "leave", 2, list="news")
    for what, name in (
        ("attribute", "plan"),
        ("attribute", "visits"),
        ("attribute", "timezone"),
        ("attribute", "email"),
        ("list", "news"),
        ("stage", ""),
    ):
        await play.orders(LookUp, once, "look", what=what, name=name)
    return play.trace


@scenario
async def a_change_starts_and_ends_journeys(house: House) -> Trace:
    play = await begun(house)
    await play.did("Form Sent", form="whitepaper")
    await play.orders(TagContact, NURTURE, "tag", tag="vip")
    await play.orders(AdjustScore, NURTURE, "score", points=60, reason="all of it")
    await play.records(Did(ANN, "Identified", "i1", traits={"plan": "pro", "timezone": "Asia/Tokyo", "locale": 7}))
    return play.trace


@scenario
async def moments_on_the_contacts_clock(house: House) -> Trace:
    await house.knows(ANN, birthday="1990-03-20", renewal="2026-03-09T14:00")
    play = Play(house)
    await play.did("First Visit")
    once = f"once/{ANN}/1"
    moments: list[Any] = [
        time(9),
        weekday("friday", time(13)),
        date(2026, 12, 1),
        contact_date("renewal", days=-3, at=time(9)),
        contact_date("nothing"),
    ]
    for place, moment in enumerate(moments):
        await play.orders(
            Appoint, once, f"until {place}", when=as_when(moment), started=house.clock.at, wall=house.clock.at
        )
    await play.records(Did(ANN, "Identified", "i1", traits={"timezone": "America/New_York"}))
    for place, moment in enumerate(moments):
        await play.orders(
            Appoint, once, f"until {place}", when=as_when(moment), started=house.clock.at, wall=house.clock.at
        )
    await play.records(Did(ANN, "Identified", "i2", traits={"renewal": "2026-04-01"}))
    return play.trace


@scenario
async def a_mail_goes_out_once_and_only_with_consent(house: House) -> Trace:
    play = await begun(house)
    await play.did("First Visit")
    once = f"once/{ANN}/1"
    await play.orders(SendEmail, once, "mail", template="welcome")
    await play.orders(SendEmail, once, "receipt", template="receipt", topic="transactional")
    await play.records(Did(ANN, "Consent Given", "c1", consent=True))
    for visit in (1, 2, 2):
        await play.orders(SendEmail, once, "mail", visit, template="welcome")
    await play.orders(SendEmail, once, "news", template="news", topic="news")
    await play.records(Did(ANN, "Consent Withdrawn", "c2", consent=False))
    await play.orders(SendEmail, once, "mail", 3, template="welcome")
    await play.orders(SendEmail, once, "mail", 2, template="welcome")
    return play.trace


@scenario
async def an_arm_is_for_good(house: House) -> Trace:
    play = await begun(house, ANN, BEN)
    await play.did("First Visit")
    await play.did("First Visit", who=BEN)
    for who in (ANN, BEN):
        for weights in ((1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0)):
            await play.orders(Expose, f"once/{who}/1", experiment="channel", arms=("mail", "sms"), weights=weights)
    await play.orders(Expose, f"once/{ANN}/1", experiment="nobody", arms=("a", "b"), weights=(0.0, 0.0))
    await play.orders(CreateTask, f"once/{ANN}/1", "task", title="Call", who="sales")
    return play.trace
