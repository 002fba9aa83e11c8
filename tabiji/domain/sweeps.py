"""What travels between a sweep's workflow and its activity. A sweep enters those whose moment has come."""

from __future__ import annotations

from datetime import datetime, timedelta

from tabiji.domain.dates import ContactDate
from tabiji.domain.occasions import Schedule
from tabiji.domain.orders import Frozen

SWEEP = "tabiji-sweep"
"""Name of the workflow type."""
SWEEP_PAGE = "sweep_page"
"""Name of its activity."""


class SweepOrder(Frozen):
    """What one sweep looks for: contacts whose date has come, or the audience of a schedule.

    `moment` is the time of the schedule, or up to when dates are due; the workflow fills it in. `begins` is when the
    trigger came into force: no date before it counts. What is older than `catch_up` is let pass. All by the wall's
    clock. `cursor` is the contact after whom the next page begins.
    """

    journey: str
    dates: tuple[ContactDate, ...] = ()
    schedule: Schedule | None = None
    begins: datetime
    catch_up: timedelta
    moment: datetime | None = None
    cursor: str | None = None


class Swept(Frozen):
    """How many were entered, how many had been before or were refused, and where to go on; no cursor: it is done."""

    entered: int = 0
    refused: int = 0
    cursor: str | None = None

    def __add__(self, later: Swept) -> Swept:
        return Swept(entered=self.entered + later.entered, refused=self.refused + later.refused, cursor=later.cursor)
