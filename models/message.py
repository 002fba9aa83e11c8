"""Messages: one send to one person, with its fate."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel


class Message(SQLModel, table=True):
    """The ledger that makes a step's mail go out once. Every change is a compare-and-set on `token`."""

    key: str = Field(primary_key=True, max_length=420, description="enrollment, step and visit")
    public_id: str = Field(max_length=64, unique=True, description="names the message in links and Message-ID")
    enrollment_id: str = Field(foreign_key="enrollment.id", index=True, max_length=200)
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    step: str = Field(max_length=200)
    visit: int
    audience: str = Field(default="contact", max_length=16, description="contact, sales or team")
    template: str = Field(max_length=200)
    topic: str | None = Field(default=None, max_length=64)
    subject: str | None = Field(default=None, max_length=500)
    summary: str | None = Field(
        default=None, max_length=500, description="for the team: the reason in the author's words"
    )
    state: str = Field(
        max_length=16, description="claimed, on_wire, sent, retry, deferred, refused, failed, unknown or dropped"
    )
    token: str = Field(max_length=64)
    run_id: str = Field(max_length=64)
    activity_id: str = Field(max_length=64)
    attempt: int
    lease_until: datetime = Field(description="database time")
    not_before: datetime | None = Field(default=None, description="journey time")
    deferrals: int = 0
    reason: str | None = Field(default=None, max_length=200)
    reply: str | None = Field(default=None, max_length=500, description="the relay's last words")
    maybe_twice: int = Field(default=0, description="how often a send was repeated without knowing the first one's end")
    test: bool = False
    at: datetime = Field(description="journey time")
    recorded_at: datetime
    sent_at: datetime | None = Field(default=None, description="database time")
    visitor: str | None = Field(
        default=None,
        max_length=64,
        description="digest of the anonymous id its links have led to a site of ours; the first",
    )
