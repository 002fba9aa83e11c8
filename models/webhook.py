"""Webhooks that go out: who wants to be told of what, and what became of each telling."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, text
from sqlmodel import Field, SQLModel

from models.base import JsonColumn, new_id


class Webhook(SQLModel, table=True):
    """A subscription. Its secret is made from ours and this row's id and generation: it is stored nowhere."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(max_length=100, unique=True)
    url: str = Field(max_length=2000)
    events: list[str] = Field(sa_column=Column(JsonColumn, nullable=False), description='names; ["*"]: all')
    properties: list[str] | None = Field(
        default=None, sa_column=Column(JsonColumn, nullable=True), description="names that are sent; None: all"
    )
    include_email: bool = False
    generation: int = Field(default=1, description="of the secret")
    rotated_at: datetime | None = Field(default=None, description="when the secret was replaced; database time")
    state: str = Field(default="enabled", max_length=16, description="enabled, disabled")
    reason: str | None = Field(default=None, max_length=200, description="why it is disabled")
    by_itself: bool = Field(default=False, description="disabled because nothing arrived, not by a person")
    failing_since: datetime | None = Field(default=None, description="nothing has arrived since; database time")
    succeeded_at: datetime | None = Field(default=None, description="about when something arrived last; database time")
    made_by: str = Field(max_length=100, description="the key that made it")
    recorded_at: datetime


class WebhookDelivery(SQLModel, table=True):
    """One event for one subscription. What is said is made when it is sent: nothing of a person is copied here."""

    __tablename__ = "webhook_delivery"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant
    __table_args__ = (
        Index(
            "ix_webhook_delivery_due",
            "webhook_id",
            "due_at",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_webhook_delivery_state_recorded_at", "state", "recorded_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True, description="the message's, the same in every copy")
    webhook_id: UUID = Field(foreign_key="webhook.id")
    event_seq: int = Field(sa_type=BigInteger, description="no foreign key: an event may be erased before it is sent")
    event: str = Field(max_length=200)
    test: bool = Field(default=False, description="of a test contact: only hosts of our own are told")
    state: str = Field(default="pending", max_length=16, description="pending, delivered, dead, left_out")
    tries: int = 0
    due_at: datetime = Field(description="database time")
    lease_until: datetime | None = None
    status: int | None = Field(default=None, description="the last answer; None: there was none")
    problem: str | None = Field(default=None, max_length=200)
    recorded_at: datetime
    finished_at: datetime | None = None
