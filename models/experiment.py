"""Experiments: what is to be found out, by which rules, and what has been decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from models.base import JsonColumn


class Experiment(SQLModel, table=True):
    """One experiment, written when somebody is put into it first. Code that says otherwise later is written down."""

    name: str = Field(primary_key=True, max_length=100)
    kind: str = Field(max_length=16, description="split, content or holdout")
    weights: dict[str, Any] = Field(
        sa_column=Column(JsonColumn, nullable=False), description="of each arm, as new people are given them"
    )
    arms: list[Any] = Field(sa_column=Column(JsonColumn, nullable=False), description="in the author's order")
    design: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    counted: dict[str, Any] = Field(
        default_factory=dict,
        sa_column=Column(JsonColumn, nullable=False),
        description="by arm: people whose time was over, and conversions, when it was weighed last; a bandit's food",
    )
    weighed_at: datetime | None = Field(default=None, description="database time")
    decided: str | None = Field(default=None, max_length=100, description="who has no arm yet gets this one")
    decided_at: datetime | None = Field(default=None, description="database time")
    decided_by: str | None = Field(default=None, max_length=200, description="a person, or 'the test'")
    reason: str | None = Field(default=None, max_length=500)
    recorded_at: datetime
