"""Access keys: kept as hashes, shown once."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, get_args

from sqlalchemy import Column, Index, text
from sqlmodel import Field, SQLModel

from models.base import JsonColumn

Scope = Literal["browser", "write", "read", "admin"]
"""browser may say what a visitor does, and stands in pages everybody can read; write may send everything that comes
in, as anybody; read may look; admin may do everything."""
SCOPES: tuple[Scope, ...] = get_args(Scope)


class ApiKey(SQLModel, table=True):
    """A key by its SHA-256. The key itself has 256 random bits, so no slow hash is needed.

    A name has one row for each time it was rotated. The newest has no `until`.
    """

    __tablename__ = "api_key"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant
    __table_args__ = (
        Index(
            "uq_api_key_name",
            "name",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
    )

    hash: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=100)
    scope: str = Field(max_length=16)
    origins: list[str] = Field(
        default_factory=list,
        sa_column=Column(JsonColumn, nullable=False),
        description="of the pages a browser key may be shown from; empty: any",
    )
    recorded_at: datetime
    until: datetime | None = Field(default=None, description="a newer key has taken its place; refused from then on")
    used_on: date | None = Field(default=None, description="the last day it was shown, UTC")
    revoked_at: datetime | None = None
