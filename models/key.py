"""Access keys: kept as hashes, shown once."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlmodel import Field, SQLModel

Scope = Literal["ingest", "full"]
"""ingest may send events, as anybody; full may also read and steer."""


class ApiKey(SQLModel, table=True):
    """A key by its SHA-256. The key itself has 256 random bits, so no slow hash is needed."""

    __tablename__ = "api_key"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant

    hash: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=100, unique=True)
    scope: str = Field(max_length=16)
    recorded_at: datetime
    revoked_at: datetime | None = None
