"""Journeys that wait in every way there is, for the tests beside this file."""

from __future__ import annotations

import asyncio
from datetime import datetime, time
from enum import StrEnum

from tabiji import Journey, always, days, hours, journey, on
from tabiji.domain.calendar import weekday
from tabiji.domain.dates import contact_date
from tabiji.domain.patterns import all_of, sequence


class Reply(StrEnum):
    """What somebody may answer."""

    YES = "yes"
    NO = "no"


@journey(trigger=on("Invited"), reentry=always)
class WaitsForTheFirst(Journey):
    """Whichever answer comes first."""

    async def steps(self) -> None:
        first = await self.wait_first(
            {Reply.YES: on("Accepted", take=("seats",)), Reply.NO: on("Declined")}, timeout=days(3)
        )
        if first is None:
            await self.tag("silent")
            return
        match first.which:
            case Reply.YES:
                await self.tag(f"yes, {first.event.properties['seats']}", step="yes")
            case Reply.NO:
                await self.tag("no")


@journey(trigger=on("Ordered Two Things"), reentry=always)
class WaitsForAll(Journey):
    """Both parcels."""

    async def steps(self) -> None:
        both = await self.wait_all(on("Parcel", n=1, take=("n",)), on("Parcel", n=2, take=("n",)), timeout=days(9))
        arrived = [one.properties["n"] for one in both] if both else []
        await self.tag(f"arrived: {arrived}", step="tell")


@journey(trigger=on("Trial Started"), reentry=always)
class WaitsForNothing(Journey):
    """Somebody who does not act within a time."""

    async def steps(self) -> None:
        silent = await self.absent(on("Logged In"), within=days(5))
        await self.tag("silent" if silent else "active", step="tell")


@journey(trigger=on("Came"), reentry=always)
class WaitsForThree(Journey):
    """Three pages in two days, then a sequence."""

    async def steps(self) -> None:
        if await self.wait_for(on("Page Viewed").times(3, within=days(2)), timeout=days(10)):
            await self.tag("three pages")
        if await self.wait_for(sequence(on("Cart Filled"), on("Cart Left")), timeout=days(10)):
            await self.tag("left a cart")


@journey(trigger=on("Began"), reentry=always)
class OnlyFromNowOn(Journey):
    """What was done before the wait counts for one of the two."""

    async def steps(self) -> None:
        await self.wait(days=1)
        seen = await self.did(on("Page Viewed"))
        new = await self.wait_for(on("Page Viewed"), timeout=days(1), from_now=True, step="new page")
        old = await self.wait_for(on("Page Viewed"), timeout=hours(1), step="any page")
        await self.tag(f"{bool(seen)} {bool(new)} {bool(old)}", step="tell")


@journey(trigger=on("Booked"), reentry=always)
class FollowsADate(Journey):
    """A day before the appointment, wherever it moves to."""

    async def steps(self) -> None:
        due = await self.wait_until(contact_date("appointment", days=-1))
        await self.tag(f"due {due:%Y-%m-%d %H:%M}" if due else "no appointment", step="tell")


@journey(trigger=on("Subscribed"), reentry=always)
class KeepsHours(Journey):
    """Nine o'clock, then Friday, on the contact's clock."""

    async def steps(self) -> None:
        nine = await self.wait_until(time(9))
        friday = await self.wait_until(weekday("friday", time(13)))
        new_year = await self.wait_until(datetime(2001, 1, 1))  # noqa: DTZ001 # the contact's own clock
        assert nine is not None
        assert friday is not None
        assert new_year is not None
        await self.tag(f"{nine:%H:%M} {friday:%a %H:%M} {new_year:%H:%M}", step="tell")


@journey(trigger=on("Both At Once"), reentry=always)
class SideBySideWaits(Journey):
    """Two waits beside each other, each for its own."""

    async def steps(self) -> None:
        left, right = await asyncio.gather(
            self.wait_for(on("Left"), timeout=days(2)),
            self.wait_for(all_of(on("Right"), on("Left")), timeout=days(2)),
        )
        await self.tag(f"{bool(left)} {bool(right)}", step="tell")


ALL = (
    WaitsForTheFirst,
    WaitsForAll,
    WaitsForNothing,
    WaitsForThree,
    OnlyFromNowOn,
    FollowsADate,
    KeepsHours,
    SideBySideWaits,
)
