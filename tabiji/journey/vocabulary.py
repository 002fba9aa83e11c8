"""The words of the language: every verb, what kind of thing it does, and which of its arguments it is about."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a verb does, for a reader of the map."""

    MAIL = "mail"
    WAIT = "wait"
    ACTION = "action"
    READ = "read"
    SPLIT = "split"
    JOURNEY = "journey"


VERBS: dict[str, Kind] = {
    "send_email": Kind.MAIL,
    "wait": Kind.WAIT,
    "wait_until": Kind.WAIT,
    "wait_for": Kind.WAIT,
    "wait_first": Kind.WAIT,
    "wait_all": Kind.WAIT,
    "absent": Kind.WAIT,
    "approval": Kind.WAIT,
    "tag": Kind.ACTION,
    "untag": Kind.ACTION,
    "join": Kind.ACTION,
    "leave": Kind.ACTION,
    "set_attribute": Kind.ACTION,
    "add_to_attribute": Kind.ACTION,
    "clear_attribute": Kind.ACTION,
    "set_stage": Kind.ACTION,
    "create_task": Kind.ACTION,
    "call_webhook": Kind.ACTION,
    "notify": Kind.ACTION,
    "notify_sales": Kind.ACTION,
    "adjust_score": Kind.ACTION,
    "do": Kind.ACTION,
    "did": Kind.READ,
    "attribute": Kind.READ,
    "has_tag": Kind.READ,
    "in_list": Kind.READ,
    "in_segment": Kind.READ,
    "score": Kind.READ,
    "stage": Kind.READ,
    "value": Kind.READ,
    "now": Kind.READ,
    "split": Kind.SPLIT,
    "enter": Kind.JOURNEY,
    "sub_journey": Kind.JOURNEY,
}
"""Methods of Journey that are steps."""

ABOUT_NOTHING = frozenset({"score", "stage", "now"})
"""Verbs that need no subject: there is one of it."""

ABOUT_ALL = frozenset({"wait_all"})
"""Verbs whose positional arguments together are the subject."""

ABOUT_THE_REST_TOO = frozenset({"set_attribute", "notify"})
"""Verbs whose second argument belongs to the subject where it is a literal."""

ABOUT_THE_STEP = frozenset({"step", "if_passed"})
"""Arguments that say how the step is treated, not what it does: no part of its subject."""

MAIL_CONDITIONS = frozenset({"opened", "clicked", "replied"})
"""Methods of Journey that are conditions over a mail, not steps."""

WAITED_ON = frozenset({"wait_for", "wait_first", "wait_all", "absent", "approval"})
"""Verbs that end by what somebody does, or by a time limit."""

NO_COROUTINE = frozenset({"now"})
"""Steps that answer at once, without `await`."""

VALUES = frozenset(
    {
        "on",
        "prop",
        "all_of",
        "sequence",
        "days",
        "hours",
        "minutes",
        "timedelta",
        "date",
        "time",
        "datetime",
        "weekday",
        "contact_date",
        "form",
        "joined",
        "left",
        "tag_added",
        "tag_removed",
        "score_reached",
        "stage_reached",
        "attribute_changed",
        "segment_entered",
        "segment_left",
    }
)
"""Calls whose result is as good as a literal when their arguments are literals; whatever comes from tabiji is, too."""

REFINEMENTS = frozenset({"times", "one_of", "contains", "starts_with", "ends_with", "exists", "matches", "replace"})
"""Methods of such values that give such values."""
