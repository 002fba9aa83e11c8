"""Mail that came in: once each, and what became of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from models.base import new_id


class InboundMail(SQLModel, table=True):
    """One mail. Its content is kept only where it belongs to no message of ours, for a look, and not for ever."""

    __tablename__ = "inbound_mail"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant
    __table_args__ = (Index("ix_inbound_mail_matched_id", "matched", "id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    key: str = Field(max_length=64, unique=True, description="the same when the same mail comes again")
    sort: str = Field(max_length=16, description="failure, delay, complaint, reply, auto_reply, challenge …")
    message: str | None = Field(default=None, max_length=64, index=True, description="the message of ours it is about")
    matched: str | None = Field(
        default=None, max_length=16, description="by what: address, message id or recipient; None: by nothing"
    )
    outcome: str | None = Field(default=None, max_length=32, description="of a failure: hard, soft or blocked")
    evidence: str | None = Field(default=None, max_length=64)
    size: int
    content: bytes | None = Field(default=None, sa_type=LargeBinary, description="its beginning, where nothing matched")
    recorded_at: datetime
