"""tabiji: marketing automation as code, on Temporal.

One contact in one journey is one durable workflow. This package is the library: the language journeys
are written in, the plugin a Temporal worker needs, and the `tabiji` command. It knows no table and no route.
"""

from tabiji.domain.audience import attr, consented, everyone, in_list, in_stage, scored, tagged
from tabiji.domain.calendar import weekday
from tabiji.domain.changes import Called, OwnOrder
from tabiji.domain.conditions import Condition, on
from tabiji.domain.content import Arm, ContentTest, arm, content_test
from tabiji.domain.dates import anniversary, contact_date
from tabiji.domain.durations import days, hours, minutes
from tabiji.domain.events import Event
from tabiji.domain.journeys import Reentry, after, always, each_time, never
from tabiji.domain.occasions import every
from tabiji.domain.orders import Ending, Entered, Happened, Outcome, SendOutcome
from tabiji.domain.params import Param, param
from tabiji.domain.patterns import Pattern, all_of, any_of, sequence
from tabiji.domain.tests import prop
from tabiji.domain.triggers import (
    attribute_changed,
    form,
    joined,
    left,
    mail_clicked,
    mail_opened,
    mail_replied,
    page,
    score_fell_below,
    score_reached,
    segment_entered,
    segment_left,
    stage_reached,
    tag_added,
    tag_removed,
)
from tabiji.journey.declaration import journey
from tabiji.journey.journey import Journey
from tabiji.journey.verbs.composition import Approval, Finished
from tabiji.journey.verbs.waits import First
from tabiji.plugin import JourneyPlugin

__all__ = [
    "Approval",
    "Arm",
    "Called",
    "Condition",
    "ContentTest",
    "Ending",
    "Entered",
    "Event",
    "Finished",
    "First",
    "Happened",
    "Journey",
    "JourneyPlugin",
    "Outcome",
    "OwnOrder",
    "Param",
    "Pattern",
    "Reentry",
    "SendOutcome",
    "after",
    "all_of",
    "always",
    "anniversary",
    "any_of",
    "arm",
    "attr",
    "attribute_changed",
    "consented",
    "contact_date",
    "content_test",
    "days",
    "each_time",
    "every",
    "everyone",
    "form",
    "hours",
    "in_list",
    "in_stage",
    "joined",
    "journey",
    "left",
    "mail_clicked",
    "mail_opened",
    "mail_replied",
    "minutes",
    "never",
    "on",
    "page",
    "param",
    "prop",
    "score_fell_below",
    "score_reached",
    "scored",
    "segment_entered",
    "segment_left",
    "sequence",
    "stage_reached",
    "tag_added",
    "tag_removed",
    "tagged",
    "weekday",
]
