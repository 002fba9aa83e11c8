"""What was said of a person under each of their identities: the source the contact's attributes are made from."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from models.base import JsonColumn


class Said(SQLModel, table=True):
    """The latest of each attribute, under one identity. A contact's attributes are the latest of all of theirs."""

    identity: str = Field(primary_key=True, max_length=280, description="kind:value; contact:id where none was named")
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    traits: dict[str, Any] = Field(
        default_factory=dict,
        sa_column=Column(JsonColumn, nullable=False),
        description="of each attribute: when it was said, and what; null takes it away",
    )
