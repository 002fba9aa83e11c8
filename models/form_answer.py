"""Which questions a visitor's browser has answered, so that the next form asks others. Not what the answers were."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel


class FormAnswer(SQLModel, table=True):
    """One question a visitor has answered in a form in which they agreed to something."""

    __tablename__ = "form_answer"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant

    visitor: str = Field(primary_key=True, max_length=64, description="digest of the anonymous id")
    field: str = Field(primary_key=True, max_length=40)
    recorded_at: datetime = Field(description="database time")
