"""Names of the events tabiji itself records when something is changed, answered or done.

Triggers, goals and waits ask for them as for any event. Outsiders cannot send them with a key that is public.
"""

from __future__ import annotations

from enum import StrEnum

KIND = "change"
"""The kind of event all of them are."""


class Fact(StrEnum):
    """A change, and the properties it is recorded with."""

    TAG_ADDED = "Tag Added"
    """tag"""
    TAG_REMOVED = "Tag Removed"
    """tag"""
    LIST_JOINED = "List Joined"
    """list"""
    LIST_LEFT = "List Left"
    """list"""
    ATTRIBUTE_CHANGED = "Attribute Changed"
    """name, before, after: null where there was or is none; a very long value is left out"""
    SCORE_CHANGED = "Score Changed"
    """before, after, points, reason"""
    STAGE_CHANGED = "Stage Changed"
    """before (null in the first stage), after"""
    TASK_DONE = "Task Done"
    """task, title, who, by"""
    APPROVAL_ANSWERED = "Approval Answered"
    """approval, approved, by, note"""
    JOURNEY_ENDED = "Journey Ended"
    """journey, enrollment, ending, reason"""
    CONTACT_MERGED = "Contact Merged"
    """contact: the one that is this one from now on"""
    SEGMENT_ENTERED = "Segment Entered"
    """segment"""
    SEGMENT_LEFT = "Segment Left"
    """segment"""


NAMES = frozenset(fact.value for fact in Fact)
NOTED = frozenset(
    {
        "Email Opened",
        "Email Link Clicked",
        "Email Replied",
        "Email Auto-Replied",
        "Email Bounced",
        "Email Marked as Spam",
        "Unsubscribed",
        "Consent Given",
        "Consent Withdrawn",
        "Preferences Requested",
        "Visitor Recognized",
        "Contact Erased",
        "Contact Imported",
        "Duplicate Merged",
    }
)
"""What tabiji notes of mails, consents and visits. Another server may say so too, which has its own ways of mailing;
a page that anybody can read the key of may not."""
