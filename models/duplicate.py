"""Two contacts who may be one person. Nobody is merged by this: somebody looks, and says."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.base import JsonColumn, new_id

_OPEN = text("state = 'open'")


class Duplicate(SQLModel, table=True):
    """A pair, once: `one` is the contact with the lower id. What was said of it stays said."""

    __table_args__ = (
        UniqueConstraint("one", "other"),
        Index("ix_duplicate_open", "score", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    one: UUID = Field(foreign_key="contact.id")
    other: UUID = Field(foreign_key="contact.id", index=True)
    score: float = Field(description="from 0 to 1")
    reasons: list[Any] = Field(default_factory=list, sa_column=Column(JsonColumn, nullable=False))
    source: str = Field(max_length=64, description="what found it, e.g. import:ID")
    state: str = Field(default="open", max_length=16, description="open, merged or different")
    recorded_at: datetime
    decided_at: datetime | None = None
    by: str | None = Field(default=None, max_length=100, description="name of the key")
