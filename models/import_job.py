"""Imports: which file, how it was read, how far it is. The row is what a process that died leaves to the next."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from models.base import JsonColumn, new_id


class ImportJob(SQLModel, table=True):
    """One file. It stays as the record of where people came from."""

    __tablename__ = "import_job"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant
    __table_args__ = (Index("ix_import_job_recorded_at", "recorded_at"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(max_length=255, description="of the file")
    digest: str = Field(max_length=64, description="SHA-256 of the file: it must be the same when it goes on")
    reading: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JsonColumn, nullable=False), description="encoding, delimiter, mapping"
    )
    trigger: bool = Field(description="whether what it changes sets journeys going")
    rate: float | None = Field(default=None, description="people a second, at most; null: as fast as it goes")
    state: str = Field(default="running", max_length=16, description="running or done")
    place: int = Field(default=0, description="the last line that was dealt with")
    people: int = Field(default=0, description="lines that were imported")
    known: int = Field(default=0, description="of these, of people who were there already")
    refused: int = Field(default=0, description="lines left out")
    problems: int = Field(default=0, description="in lines left out, and in others")
    holder: str = Field(max_length=36, description="who works on it; another value: somebody else has taken over")
    at: datetime = Field(description="journey time of what the file says")
    recorded_at: datetime
    finished_at: datetime | None = None
