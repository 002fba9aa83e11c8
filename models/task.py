"""Tasks: what somebody in the team has to do about a contact."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.base import new_id


class Task(SQLModel, table=True):
    """One task. The key makes its step create it once."""

    __table_args__ = (Index("ix_task_state_id", "state", "id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    key: str = Field(max_length=420, unique=True, description="enrollment, step and visit")
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    enrollment_id: str = Field(max_length=200)
    title: str = Field(max_length=500)
    who: str = Field(max_length=200, description="a team or a person, in the author's words")
    due: datetime | None = Field(default=None, description="journey time")
    state: str = Field(default="open", max_length=16, description="open or done")
    done_by: str | None = Field(default=None, max_length=200)
    note: str | None = Field(default=None, max_length=2000)
    test: bool = False
    at: datetime = Field(description="journey time")
    recorded_at: datetime
    done_at: datetime | None = Field(default=None, description="database time")
