"""Approvals: questions a journey has put to somebody in the team, and their answers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.base import new_id


class Approval(SQLModel, table=True):
    """One question. Its first answer is the answer."""

    __table_args__ = (Index("ix_approval_state_id", "state", "id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    key: str = Field(max_length=420, unique=True, description="enrollment, step and visit")
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    enrollment_id: str = Field(foreign_key="enrollment.id", max_length=200, index=True)
    step: str = Field(max_length=200)
    visit: int
    question: str = Field(max_length=2000)
    who: str = Field(max_length=100, description="the team that is asked")
    until: datetime = Field(description="journey time")
    state: str = Field(default="open", max_length=16, description="open, approved, declined or expired")
    answered_by: str | None = Field(default=None, max_length=200)
    note: str | None = Field(default=None, max_length=2000)
    answered_at: datetime | None = Field(default=None, description="database time")
    test: bool = False
    at: datetime = Field(description="journey time")
    recorded_at: datetime
