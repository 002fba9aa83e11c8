"""Points: every change of a contact's score, with its reason."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel


class ScoreEntry(SQLModel, table=True):
    """One change. The key makes it count once; the contact's `score` is the sum."""

    __tablename__ = "score_entry"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant

    key: str = Field(primary_key=True, max_length=420, description="enrollment, step and visit")
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    points: int
    reason: str = Field(max_length=500)
    total: int = Field(description="the score after it")
    at: datetime
    recorded_at: datetime
