"""Accounts: companies or teams, and the contacts that belong to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from models.base import JsonColumn


class Account(SQLModel, table=True):
    """An account, under the id the callers give it."""

    id: str = Field(primary_key=True, max_length=256)
    attributes: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JsonColumn, nullable=False))
    said: dict[str, Any] = Field(
        default_factory=dict,
        sa_column=Column(JsonColumn, nullable=False),
        description="of each attribute: when it was said, and what",
    )
    created_at: datetime = Field(description="journey time")
    recorded_at: datetime


class AccountMember(SQLModel, table=True):
    """Somebody belongs to an account, by the identity that said so first."""

    __tablename__ = "account_member"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant

    account_id: str = Field(primary_key=True, foreign_key="account.id", max_length=256)
    identity: str = Field(primary_key=True, max_length=280, description="kind:value; contact:id where none was named")
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    at: datetime = Field(description="journey time")
    recorded_at: datetime
