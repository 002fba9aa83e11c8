"""Enrollments: one contact in one journey; what each listens for; what must still reach Temporal."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, Integer, text
from sqlmodel import Field, SQLModel

from models.base import JsonColumn

_LET_IN = text("cause IS NULL")
"""By an event or by the API."""


class Enrollment(SQLModel, table=True):
    """One contact in one journey = one workflow. Its id is the workflow's: ``{journey}/{contact}/{n}``."""

    __table_args__ = (
        Index(
            "uq_enrollment_running",
            "contact_id",
            "journey",
            "entry_key",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        Index("uq_enrollment_contact_id_journey_n", "contact_id", "journey", "n", unique=True),
        Index("ix_enrollment_journey_state", "journey", "state"),
        Index(
            "ix_enrollment_let_in",
            "journey",
            "entered_at",
            sqlite_where=_LET_IN,
            postgresql_where=_LET_IN,
        ),
    )

    id: str = Field(primary_key=True, max_length=200)
    journey: str = Field(max_length=100)
    contact_id: UUID = Field(foreign_key="contact.id")
    n: int
    entry_key: str = Field(default="", max_length=200, description="re-entry is decided per key; empty: one for all")
    entry_seq: int = Field(sa_column=Column(BigInteger(), nullable=False))
    cause: str | None = Field(
        default=None, max_length=512, unique=True, description="what entered them, where that must count once"
    )
    parent_id: str | None = Field(
        default=None, max_length=200, index=True, description="the enrollment that waits for this one's end"
    )
    trigger: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonColumn, nullable=True))
    state: str = Field(default="running", max_length=16, description="running, or how it ended")
    reason: str | None = Field(default=None, max_length=500)
    path: list[Any] = Field(default_factory=list, sa_column=Column(JsonColumn, nullable=False))
    tempo: float = 1.0
    test: bool = False
    start_confirmed: bool = Field(default=False, description="Temporal has said that the workflow was started")
    entered_at: datetime = Field(description="journey time")
    entered_wall: datetime = Field(description="the wall clock at that moment")
    ended_at: datetime | None = Field(default=None, description="journey time")
    ended_wall: datetime | None = Field(
        default=None, description="the workflow's clock at its end: what it said before then opens nothing again"
    )
    recorded_at: datetime


class Listener(SQLModel, table=True):
    """What an enrollment waits for now. Additive: a stale one costs a signal, never an event."""

    __table_args__ = (Index("ix_listener_contact_id_event", "contact_id", "event"),)

    enrollment_id: str = Field(primary_key=True, foreign_key="enrollment.id", max_length=200)
    step: str = Field(primary_key=True, max_length=200)
    visit: int = Field(primary_key=True)
    event: str = Field(primary_key=True, max_length=200)
    contact_id: UUID = Field(foreign_key="contact.id")
    condition: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    since_seq: int = Field(sa_column=Column(BigInteger(), nullable=False))
    consumed: list[Any] = Field(default_factory=list, sa_column=Column(JsonColumn, nullable=False))


class Dispatch(SQLModel, table=True):
    """A start, a signal or a cancellation that must reach Temporal, written in the transaction that made it so."""

    __table_args__ = (
        Index(
            "ix_dispatch_pending",
            "recorded_at",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_dispatch_contact_id_id", "contact_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    )
    contact_id: UUID
    enrollment_id: str = Field(foreign_key="enrollment.id", max_length=200)
    kind: str = Field(max_length=16, description="start, signal or cancel")
    payload: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JsonColumn, nullable=False))
    state: str = Field(default="pending", max_length=16, description="pending, delivered, late (it had ended) or dead")
    attempts: int = 0
    lease_until: datetime | None = None
    error: str | None = Field(default=None, max_length=500)
    recorded_at: datetime
    delivered_at: datetime | None = None
