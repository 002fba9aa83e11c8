"""Broadcasts: one mail to many, and whom each is for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from models.base import JsonColumn, new_id


class Broadcast(SQLModel, table=True):
    """One mail to many. What became of each is in the ledger of messages."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(max_length=100, index=True)
    template: str = Field(max_length=200)
    topic: str = Field(max_length=64)
    audience: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JsonColumn, nullable=False), description="list, tag, or people named"
    )
    at: datetime = Field(description="journey time at which it begins")
    local_at: str | None = Field(
        default=None, max_length=32, description="on each person's own clock: date and time without a zone"
    )
    rate: float | None = Field(default=None, description="a second at most, over all workers; None: as fast as it goes")
    delay_s: int = Field(description="how long rules of time may hold a person's mail back")
    priority: int = 0
    content: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JsonColumn, nullable=True), description="the test of its content"
    )
    state: str = Field(max_length=16, index=True, description="draft, scheduled, sending, done or cancelled")
    total: int | None = Field(default=None, description="recipients; None: not written down yet")
    holder: str | None = Field(default=None, max_length=200, description="the attempt that may claim for it now")
    by: str = Field(max_length=100, description="name of the key that made it")
    recorded_at: datetime
    started_at: datetime | None = Field(default=None, description="database time at which the first was looked at")
    finished_at: datetime | None = None


class BroadcastRecipient(SQLModel, table=True):
    """Somebody a broadcast is for. Fixed when it begins; `due` moves on where a mail is put off."""

    __tablename__ = "broadcast_recipient"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant
    __table_args__ = (Index("ix_broadcast_recipient_due", "broadcast_id", "due", "contact_id"),)

    broadcast_id: UUID = Field(foreign_key="broadcast.id", primary_key=True)
    contact_id: UUID = Field(foreign_key="contact.id", primary_key=True, index=True)
    due: datetime | None = Field(
        default=None, description="journey time; None: not begun, or held by a pause of their own until it was too late"
    )
    tries: int = Field(default=0, description="how often it was put off because it could not be sent")
