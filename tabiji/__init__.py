"""tabiji: marketing automation as code, on Temporal.

One contact in one journey is one durable workflow. This package is the library: the language journeys
are written in, the plugin a Temporal worker needs, and the `tabiji` command. It knows no table and no route.
"""

from tabiji.domain.conditions import Condition, on
from tabiji.domain.durations import days, hours, minutes
from tabiji.domain.journeys import Reentry, after, always, never
from tabiji.domain.orders import Happened, Outcome
from tabiji.journey.declaration import journey
from tabiji.journey.journey import Journey
from tabiji.plugin import JourneyPlugin

__all__ = [
    "Condition",
    "Happened",
    "Journey",
    "JourneyPlugin",
    "Outcome",
    "Reentry",
    "after",
    "always",
    "days",
    "hours",
    "journey",
    "minutes",
    "never",
    "on",
]
