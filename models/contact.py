"""Contacts: a person, the identities that lead to them, their tags and what they agreed to."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlmodel import Field, SQLModel

from models.base import JsonColumn, new_id


class ContactBase(SQLModel):
    """What every form of a contact has."""

    email: str | None = Field(default=None, max_length=254, unique=True, index=True)
    timezone: str | None = Field(
        default=None, max_length=64, description="IANA name; None is unknown, a setting decides"
    )
    locale: str | None = Field(default=None, max_length=35, description="BCP 47, e.g. ja-JP")


class Contact(ContactBase, table=True):
    """The row. It stays in activities and the API and never enters a workflow."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    attributes: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JsonColumn, nullable=False))
    score: int = 0
    stage: str | None = Field(default=None, max_length=100, description="of life: lead, mql, customer and so on")
    tempo: float | None = Field(
        default=None, description="set for test contacts: their journeys run this many times faster"
    )
    merged_into: UUID | None = Field(default=None, index=True)
    parted_at: datetime | None = Field(
        default=None,
        description="an identity was found to be somebody else's: what was read before the lock may not hold",
    )
    created_at: datetime = Field(description="journey time")
    recorded_at: datetime = Field(description="database time")

    @property
    def test(self) -> bool:
        """Kept out of reports; mailed only where tests may mail."""
        return self.tempo is not None


class Identity(SQLModel, table=True):
    """A user id, anonymous id or e-mail that leads to a contact, and the first claims made about it.

    `contact_id` is what `tabiji.domain.identities` makes of all claims; it is kept so that one look finds it.
    """

    __table_args__ = (
        Index(
            "ix_identity_first_user",
            "first_user",
            sqlite_where=text("kind <> 'anonymous' OR first_email IS NOT NULL"),
            postgresql_where=text("kind <> 'anonymous' OR first_email IS NOT NULL"),
        ),
        Index(
            "ix_identity_first_email",
            "first_email",
            sqlite_where=text("first_email IS NOT NULL"),
            postgresql_where=text("first_email IS NOT NULL"),
        ),
    )

    kind: str = Field(primary_key=True, max_length=16)
    value: str = Field(primary_key=True, max_length=256)
    # No foreign key: a new identity is written before its contact, in the order that avoids deadlocks.
    contact_id: UUID = Field(index=True)
    first_user: str | None = Field(
        default=None, max_length=256, description="named with it first; of a user id: the one it is an alias of"
    )
    first_user_at: datetime | None = Field(default=None, description="journey time")
    first_user_doubted: bool = Field(default=False, description="only a browser has said so")
    first_email: str | None = Field(default=None, max_length=256)
    first_email_at: datetime | None = Field(default=None, description="journey time")


class ContactTag(SQLModel, table=True):
    """A tag on a contact."""

    __tablename__ = "contact_tag"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant

    contact_id: UUID = Field(primary_key=True, foreign_key="contact.id")
    tag: str = Field(primary_key=True, max_length=100)
    at: datetime
    recorded_at: datetime


class Consent(SQLModel, table=True):
    """One decision of a contact about one topic, or a no to all of them. Which is in force: `tabiji.domain.consents`.

    Nothing of it is ever changed: what is over is the proof.
    """

    id: int | None = Field(default=None, primary_key=True)
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    topic: str = Field(max_length=64)
    given: bool
    confirmed: bool = Field(default=True, description="False: asked for, and of no effect before the address confirms")
    source: str = Field(max_length=200, description="form:whitepaper, unsubscribe-link, api …")
    wording: str | None = Field(default=None, description="what the person read when they agreed")
    version: str | None = Field(default=None, max_length=40, description="of the wording")
    purpose: str | None = Field(default=None, description="what they were told the topic is for")
    purpose_version: str | None = Field(default=None, max_length=40, description="of the topic's purpose")
    network: str | None = Field(
        default=None,
        max_length=64,
        description="where they were, as far as proof needs it: the address without its end",
    )
    user_agent: str | None = Field(default=None, max_length=200, description="what they decided with")
    identity: str | None = Field(default=None, max_length=280, description="the identity it came under, kind:value")
    at: datetime
    recorded_at: datetime
