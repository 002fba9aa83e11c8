"""Pauses: rows that stop effects, whomever they reach; and who has met one and waits for its end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from models.base import new_id

_IN_FORCE = text("resumed_at IS NULL")


class Scope(StrEnum):
    """Whom a pause reaches."""

    EVERYTHING = "everything"
    JOURNEY = "journey"
    CONTACT = "contact"
    ENROLLMENT = "enrollment"
    BROADCAST = "broadcast"


class Pause(SQLModel, table=True):
    """One pause, in force until it is resumed. Read in the transaction of every effect."""

    __table_args__ = (
        Index(
            "uq_pause_in_force",
            "scope",
            "target",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    scope: str = Field(max_length=16)
    target: str = Field(
        default="",
        max_length=200,
        description="journey, contact, enrollment or broadcast; empty where it is everything",
    )
    by: str = Field(max_length=100, description="name of the key, or the rule, that paused")
    reason: str | None = Field(default=None, max_length=500)
    since: datetime = Field(description="journey time at the entrance")
    since_wall: datetime = Field(description="the clock workflows run by, at that moment")
    recorded_at: datetime
    resumed_at: datetime | None = Field(default=None, description="database time; None: in force")
    resumed_by: str | None = Field(default=None, max_length=100)


class Held(SQLModel, table=True):
    """An enrollment that met a pause: it is told when no pause reaches it any more. Who met none has no row."""

    enrollment_id: str = Field(primary_key=True, foreign_key="enrollment.id", max_length=200)
    journey: str = Field(max_length=100)
    contact_id: str = Field(max_length=36)
    pause_id: UUID = Field(foreign_key="pause.id", index=True, description="the one it met first")
    since_wall: datetime = Field(description="when that pause began")
    recorded_at: datetime
