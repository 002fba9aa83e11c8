"""Exposures: which arm of an experiment each contact is in, from the first time they came to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, Integer
from sqlmodel import Field, SQLModel

from models.base import JsonColumn


class Exposure(SQLModel, table=True):
    """One contact in one experiment."""

    __table_args__ = (
        Index("uq_exposure_contact_id_experiment", "contact_id", "experiment", unique=True),
        Index("ix_exposure_experiment_at", "experiment", "at"),
    )

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    )
    contact_id: UUID = Field(foreign_key="contact.id")
    experiment: str = Field(max_length=100)
    arm: str = Field(max_length=100)
    weights: dict[str, Any] = Field(
        sa_column=Column(JsonColumn, nullable=False), description="of each arm when they were assigned"
    )
    chosen: str = Field(default="shares", max_length=16, description="shares, bandit, or winner: decided by then")
    enrollment_id: str | None = Field(default=None, max_length=200, description="None: by a broadcast")
    broadcast_id: UUID | None = None
    step: str = Field(default="", max_length=200)
    test: bool = False
    at: datetime = Field(description="journey time")
    recorded_at: datetime
