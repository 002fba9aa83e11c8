"""Messages: one send to one person, with its fate."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel


class Message(SQLModel, table=True):
    """The ledger that makes a step's mail go out once. Every change is a compare-and-set on `token`."""

    __table_args__ = (
        Index("ix_message_contact_id_at", "contact_id", "at"),
        Index("ix_message_broadcast_id_contact_id", "broadcast_id", "contact_id"),
        Index(
            "ix_message_experiment",
            "experiment",
            "variant",
            sqlite_where=text("experiment IS NOT NULL"),
            postgresql_where=text("experiment IS NOT NULL"),
        ),
    )

    key: str = Field(primary_key=True, max_length=420, description="enrollment, step and visit")
    public_id: str = Field(max_length=64, unique=True, description="names the message in links and Message-ID")
    enrollment_id: str | None = Field(
        default=None, foreign_key="enrollment.id", index=True, max_length=200, description="None: of a broadcast"
    )
    broadcast_id: UUID | None = None
    contact_id: UUID = Field(foreign_key="contact.id")
    step: str = Field(max_length=200)
    visit: int
    audience: str = Field(default="contact", max_length=16, description="contact, sales or team")
    channel: str = Field(default="email", max_length=16)
    recipient: str | None = Field(
        default=None, max_length=254, description="the address it went to; the contact's own may have changed since"
    )
    template: str = Field(max_length=200)
    experiment: str | None = Field(default=None, max_length=100, description="the test of its content")
    variant: str | None = Field(default=None, max_length=100, description="arm of the test of its content")
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
    priority: int = Field(default=0, description="of its journey; higher goes first where there is room for one")
    asked_at: datetime = Field(description="journey time at which it was asked for first")
    not_before: datetime | None = Field(default=None, description="journey time")
    deferrals: int = 0
    reason: str | None = Field(default=None, max_length=200)
    reply: str | None = Field(default=None, max_length=500, description="the relay's last words")
    relay: str | None = Field(default=None, max_length=100, description="which of our relays took it")
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
    delivered_at: datetime | None = Field(
        default=None, description="taken by the other side, as a provider told; journey time, as those below"
    )
    opened_at: datetime | None = Field(default=None, description="by a person, first")
    clicked_at: datetime | None = Field(default=None, description="by a person, first")
    machine_at: datetime | None = Field(default=None, description="opened or clicked by a program, first")
    replied_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    complained_at: datetime | None = None
    bounced_at: datetime | None = None
    bounce: str | None = Field(default=None, max_length=32, description="hard or soft, where it came back")
