"""Suppressions: addresses and domains that are not written to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from models.base import new_id

_IN_FORCE = text("lifted_at IS NULL")


class Suppression(SQLModel, table=True):
    """One entry. It goes by the address, not by the contact: whose address changes is judged by the new one.

    What was lifted stays as history. Of one address and reason one entry is in force.
    """

    __table_args__ = (
        Index(
            "uq_suppression_in_force",
            "value",
            "reason",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    value: str = Field(max_length=254, description="an address, normalised, or a domain, with those below it")
    reason: str = Field(max_length=32, description="hard_bounce, complaint, soft_bounces, manual or domain")
    transactional: bool = Field(description="it stops what needs no consent, too")
    source: str = Field(max_length=64, description="what said so: smtp, inbound, a provider, api, import …")
    evidence: str | None = Field(default=None, max_length=64, description="code and status, never prose")
    message: str | None = Field(default=None, max_length=64, description="the message it began with")
    by: str | None = Field(default=None, max_length=100, description="who, where it was a person")
    note: str | None = Field(default=None, max_length=500)
    since: datetime = Field(description="journey time")
    until: datetime | None = Field(default=None, description="journey time from which it no longer counts")
    recorded_at: datetime
    lifted_at: datetime | None = Field(default=None, description="database time")
    lifted_by: str | None = Field(default=None, max_length=100)
