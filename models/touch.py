"""Touches: mails that were opened, and links in them that were followed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

_HELD = text("due_at IS NOT NULL")


class Touch(SQLModel, table=True):
    """One open or click, by a person or a program. Nothing of the device is kept but the reason for the verdict."""

    __table_args__ = (
        Index("ix_touch_template_what", "template", "what"),
        Index("ix_touch_due_at", "due_at", sqlite_where=_HELD, postgresql_where=_HELD),
    )

    key: str = Field(primary_key=True, max_length=128, description="message_id of the event it is recorded as")
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    message: str = Field(max_length=64, index=True, description="its public id")
    template: str = Field(max_length=200)
    what: str = Field(max_length=8, description="open or click")
    place: int | None = Field(default=None, description="which of the mail's links, from 1")
    page: str | None = Field(default=None, max_length=300, description="where the link leads, without its query")
    url: str | None = Field(default=None, description="where it leads")
    verdict: str = Field(max_length=16, description="person, machine or doubtful")
    why: str = Field(default="", max_length=64, description="what says so")
    source: str = Field(default="", max_length=32, description="a provider's name, where it was told and not seen")
    at: datetime = Field(description="journey time")
    recorded_at: datetime = Field(description="database time")
    due_at: datetime | None = Field(default=None, description="database time; held until then, and no event yet")
