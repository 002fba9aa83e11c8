"""Static lists, who is on them, and the stages of life contacts have been through."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Integer
from sqlmodel import Field, SQLModel


class ContactList(SQLModel, table=True):
    """A static list. It is there from the first time somebody is put on it."""

    __tablename__ = "contact_list"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant

    name: str = Field(primary_key=True, max_length=100)
    recorded_at: datetime


class ListMember(SQLModel, table=True):
    """A contact on a list."""

    __tablename__ = "list_member"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant

    contact_id: UUID = Field(primary_key=True, foreign_key="contact.id")
    list: str = Field(primary_key=True, foreign_key="contact_list.name", max_length=100, index=True)
    at: datetime = Field(description="journey time")
    recorded_at: datetime


class StageEntry(SQLModel, table=True):
    """A contact came to a stage. They stayed in it until the next entry."""

    __tablename__ = "stage_entry"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    )
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    before: str | None = Field(default=None, max_length=100)
    stage: str = Field(max_length=100)
    at: datetime = Field(description="journey time")
    recorded_at: datetime
