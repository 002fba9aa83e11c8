"""Batches: something told to many enrollments, carried out by the server in pages at a rate."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlmodel import Field, SQLModel

from models.base import JsonColumn, new_id

_RUNNING = text("state = 'running'")


class Action(StrEnum):
    """What a batch does with each enrollment, or with each contact for `ENTER`."""

    SKIP = "skip"
    CANCEL = "cancel"
    MOVE = "move"
    PAUSE = "pause"
    RESUME = "resume"
    ENTER = "enter"


class Batch(SQLModel, table=True):
    """One order of ops to many, and how far it is. It stays as the record of who did what to whom."""

    __table_args__ = (
        Index("ix_batch_running", "recorded_at", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        Index("ix_batch_recorded_at", "recorded_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    action: str = Field(max_length=16)
    reach: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JsonColumn, nullable=False), description="whom; see `Reach`"
    )
    state: str = Field(default="running", max_length=16, description="running, done or stopped")
    rate: float = Field(description="a second, at most")
    total: int = Field(description="how many there were when it was ordered")
    done: int = 0
    left_out: int = Field(default=0, description="looked at, and not concerned any more")
    place: str = Field(default="", max_length=200, description="the last one looked at")
    by: str = Field(max_length=100, description="name of the key, or the rule, that ordered it")
    reason: str | None = Field(default=None, max_length=500)
    recorded_at: datetime
    finished_at: datetime | None = None


class Pace(SQLModel, table=True):
    """When something that has a rate was last done, over all processes. Its row is the right to do it."""

    name: str = Field(primary_key=True, max_length=64)
    at: datetime = Field(description="database time up to which the rate is used up")
