"""Whether a journey takes people: draft, pilot, live or closing; and how it came to be so."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Integer
from sqlmodel import Field, SQLModel

from models.base import JsonColumn


class JourneyState(SQLModel, table=True):
    """One journey's state. Without a row the setting TABIJI_NEW_JOURNEYS decides."""

    __tablename__ = "journey_state"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant

    journey: str = Field(primary_key=True, max_length=100)
    state: str = Field(max_length=16)
    pilot: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JsonColumn, nullable=True), description="whom a pilot takes and what stops it"
    )
    entered: int = Field(default=0, description="since the pilot began; test contacts never count")
    complaints: int = 0
    unsubscribes: int = 0
    errors: int = 0
    stopped: str | None = Field(default=None, max_length=500, description="why the pilot stopped itself")
    by: str = Field(max_length=100)
    reason: str | None = Field(default=None, max_length=500)
    at: datetime = Field(description="journey time at the entrance")
    recorded_at: datetime


class JourneyStateChange(SQLModel, table=True):
    """Every change of it, oldest first by `id`."""

    __tablename__ = "journey_state_change"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    )
    journey: str = Field(index=True, max_length=100)
    before: str = Field(max_length=16)
    state: str = Field(max_length=16)
    pilot: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonColumn, nullable=True))
    by: str = Field(max_length=100)
    reason: str | None = Field(default=None, max_length=500)
    recorded_at: datetime


class EntryRefused(SQLModel, table=True):
    """How many a journey's state has kept out. Spread over several rows, so that they do not queue for one."""

    __tablename__ = "entry_refused"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant

    journey: str = Field(primary_key=True, max_length=100)
    reason: str = Field(primary_key=True, max_length=64)
    shard: int = Field(primary_key=True)
    contact_id: UUID | None = Field(default=None, description="the latest of them")
    times: int
    recorded_at: datetime = Field(description="of the latest")
