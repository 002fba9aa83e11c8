"""Events: what contacts did, in the order it was committed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, Integer
from sqlmodel import Field, SQLModel

from models.base import JsonColumn


class Event(SQLModel, table=True):
    """One thing a contact did. `seq` is given out under the contact's lock, so per contact it is commit order."""

    __table_args__ = (
        Index("ix_event_contact_id_name_seq", "contact_id", "name", "seq"),
        {"sqlite_autoincrement": True},
    )

    seq: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    )
    contact_id: UUID = Field(foreign_key="contact.id")
    kind: str = Field(max_length=16, description="track, page, identify, form, mail, manual")
    name: str = Field(max_length=200)
    properties: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JsonColumn, nullable=False))
    context: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JsonColumn, nullable=False))
    message_id: str = Field(max_length=256, unique=True, description="makes a second arrival harmless")
    identity: str | None = Field(
        default=None, max_length=280, description="the identity it came under, kind:value; None: the contact itself"
    )
    enrollment_id: str | None = Field(
        default=None, max_length=200, description="only this enrollment hears of it; None: every one"
    )
    at: datetime = Field(description="journey time")
    recorded_at: datetime = Field(description="database time")
