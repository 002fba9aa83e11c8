"""One journey for each thing a map must show."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import StrEnum
from functools import partial, wraps
from typing import Any

from temporalio import workflow

from tabiji import Journey, always, contact_date, days, hours, journey, on, param, prop
from tests.map.elsewhere import Polite, remind

PAID = on("Order Completed", prop("total") >= 100)
PATIENCE = days(3)
TURNED = param("map-days", days(3), at_least=days(1), title="Days of patience")


class By(StrEnum):
    """Ways to reach somebody."""

    EMAIL = "email"
    CALL = "call"


@journey(trigger=(on("Signed Up"), on("Invited")), goal=PAID, exit=on("Unsubscribed"), reentry=always)
class Branches(Journey):
    """If, elif, else; a condition in a variable; and, or, not."""

    async def steps(self) -> None:
        mail = await self.send_email("a")
        clicked = await self.wait_for(self.clicked(mail), timeout=PATIENCE)
        if clicked:
            await self.tag("clicked")
        elif await self.score() >= 50 and not await self.has_tag("vip"):
            await self.tag("warm")
        else:
            await self.tag("cold")
        if self.trigger is None or await self.in_segment("hot"):
            await self.tag("by hand")
        if clicked is None:
            self.exit("not interested")


@journey(reentry=always)
class Matches(Journey):
    """A split, every arm of it; a match that is not complete."""

    async def steps(self) -> None:
        match await self.split("channel", By):
            case By.EMAIL:
                await self.send_email("by mail")
            case By.CALL:
                await self.create_task("call them", who="sales")
        match await self.attribute("plan"):  # pyright: ignore[reportMatchNotExhaustive] # on purpose
            case "pro" | "team":
                await self.tag("paying")
            case str(plan) if plan.startswith("trial"):
                await self.tag("trying")


class Sign(StrEnum):
    """What may come first."""

    PAID = "paid"
    LEFT = "left"


@journey(reentry=always)
class First(Journey):
    """The first of several."""

    async def steps(self) -> None:
        first = await self.wait_first({Sign.PAID: PAID, Sign.LEFT: on("Left")}, timeout=days(2))
        if first is None:
            await self.tag("neither")
            return
        match first.which:
            case Sign.PAID:
                await self.tag("paid")
            case Sign.LEFT:
                await self.tag("left")


@journey(reentry=always)
class Loops(Journey):
    """For, while, break, continue, else."""

    async def steps(self) -> None:
        for template in ("one", "two"):
            if await self.has_tag("skip"):
                continue
            await self.send_email(template, step=f"mail {template}")
        await self.tag("all mailed")
        while not await self.wait_for(on("Answered"), timeout=days(1)):
            if await self.score() < 0:
                break
            await self.notify_sales("no answer")
        while True:
            await self.wait(days=365)
            await self.send_email("birthday")


@journey(reentry=always)
class Tries(Journey):
    """Errors that are caught, ignored, raised."""

    async def steps(self) -> None:
        try:
            await self.call_webhook("https://crm.example.com/lead", {})
            await self.tag("told")
        except ValueError:
            await self.tag("not told")
        else:
            await self.tag("went well")
        finally:
            self.told = True
        with suppress(LookupError):
            await self.do("look it up")
        if await self.score() < 0:
            raise RuntimeError("never")


@journey(reentry=always)
class Beside(Journey):
    """Gather, a group of tasks, a task of one's own."""

    async def steps(self) -> None:
        await asyncio.gather(self._left(), self.tag("middle"), remind(self, "right"))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._left())
            group.create_task(self._late())
        task = asyncio.create_task(self._own())
        await self.tag("meanwhile")
        await task
        await asyncio.gather(*[self._each(name) for name in ("x", "y")])

    async def _left(self) -> None:
        await self.wait(hours=1)
        await self.send_email("left")

    async def _late(self) -> None:
        await self.wait(days=1)

    async def _own(self) -> None:
        await self.wait(days=2)

    async def _each(self, name: str) -> None:
        await self.tag(name, step=f"each {name}")


@journey(reentry=always)
class Helped(Journey):
    """Helpers: of another file, methods, one in another, twice, with a return in the middle."""

    async def steps(self) -> None:
        await remind(self, "first")
        if await self._is_warm():
            await self._warm()
        await remind(self, "second")

        async def inner() -> None:
            await self.tag("inner")

        await inner()

    async def _is_warm(self) -> bool:
        return await self.score() > 10

    async def _warm(self) -> None:
        if await self.has_tag("vip"):
            return
        await remind(self, "warm")


@journey(reentry=always)
class Inherits(Polite):
    """Steps of its own, then those it inherits."""

    async def steps(self) -> None:
        await self.tag("hello")
        await super().steps()


@journey(reentry=always)
class InheritsAll(Polite):
    """Nothing of its own."""


@journey(reentry=always)
class Returns(Journey):
    """Ends early, and late."""

    async def steps(self) -> None:
        if not await self.wait_for(PAID, timeout=hours(4)):
            await self.enter(InheritsAll)
            return
        if await self.absent(on("Complained"), within=days(30)):
            await self.tag("happy")
            return
        await self.tag("unhappy")


@journey(reentry=always)
class Again(Journey):
    """A helper that calls itself."""

    async def steps(self) -> None:
        await self._again(3)

    async def _again(self, left: int) -> None:
        await self.wait(days=1)
        if left:
            await self._again(left - 1)


def loudly(function: Any) -> Any:
    """A decorator of an author's."""

    @wraps(function)
    async def wrapped(*args: Any) -> Any:
        return await function(*args)

    return wrapped


@loudly
async def announce(traveller: Journey) -> None:
    """Decorated."""
    await traveller.tag("announced")


async def call(make: Any) -> None:
    """Calls what it is given."""
    await make()


@journey(reentry=always)
class Unseen(Journey):
    """What cannot be seen from the source."""

    async def steps(self) -> None:
        await announce(self)
        await call(lambda: self.tag("late"))
        await call(self._later)
        await call(partial(self._later))
        await getattr(self, "_la" + "ter")()
        await workflow.wait_condition(lambda: self.contact == "x")
        for verb in (self.tag, self.untag):
            await verb("either", step="either")

    async def _later(self) -> None:
        await self.tag("later")


@journey(reentry=always)
class Seen(Journey):
    """Ways to call a helper that a map cannot follow, and that run."""

    async def steps(self) -> None:
        await announce(self)
        await call(lambda: self.tag("late"))
        await call(self._later)

    async def _later(self) -> None:
        await self.tag("later")


@journey(trigger=on('A "quoted" [event] <b>'), goal=on("end"), reentry=always)
class Characters(Journey):
    """終わり "end" {of} <script>alert(1)</script>; %%{init} `code` *bold* 1. list."""

    async def steps(self) -> None:
        await self.tag("end")
        await self.tag("graph TD; a-->b")
        await self.tag('say "hi" & <i>bye</i>')
        await self.notify_sales("見込み客が料金ページを見た 🎉")
        await self.tag("style a fill:#f00;")
        await self.tag("classDef x fill:#f00;")
        await self.tag("1. one\n- two")
        await self.tag("|pipe| [x] {y} (z) ((w)) \\ / # ; : % ` ~ ^ * _ @ $ #35; &amp;")
        if await self.wait_for(on("subgraph", path='"]'), timeout=days(1)):
            await self.end_of_it("click n0 href 'javascript:alert(1)'")

    async def end_of_it(self, what: str) -> None:
        """Group "end" ]."""
        await self.tag(what, step=f"{what} end")


@journey(reentry=always)
class Worded(Journey):
    """What is computed is said in words, as far as they go."""

    async def steps(self) -> None:
        patience = await self.value(TURNED)
        if patience > days(2):
            mail = await self.send_email("patient")
        else:
            mail = await self.send_email("hasty")
        first = await self.wait_first(
            {Sign.PAID: on("Paid"), Sign.LEFT: self.clicked(mail, link="/bye")}, timeout=patience
        )
        if first:
            await self.tag(f"first {first.which}", step="first")
        if not await self.wait_until(contact_date("visit", days=-1)):
            self.exit("no visit")


ALL: tuple[type[Journey], ...] = (
    Branches,
    Matches,
    First,
    Loops,
    Tries,
    Beside,
    Helped,
    Inherits,
    InheritsAll,
    Returns,
    Again,
    Unseen,
    Seen,
    Characters,
    Worded,
)
