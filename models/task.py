"""Tasks: what somebody in the team has to do about a contact."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from models.base import new_id

_TO_TELL = text("tell_at IS NOT NULL")


class Task(SQLModel, table=True):
    """One task. The key makes its step, or the answer it is about, create it once."""

    __table_args__ = (
        Index("ix_task_state_id", "state", "id"),
        Index("ix_task_tell_at", "tell_at", sqlite_where=_TO_TELL, postgresql_where=_TO_TELL),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    key: str = Field(max_length=420, unique=True, description="enrollment, step and visit; or the answer")
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    enrollment_id: str | None = Field(default=None, max_length=200, description="None: no journey asked for it")
    kind: str = Field(default="task", max_length=16, description="task; or reply: somebody answered a mail")
    title: str = Field(max_length=500)
    who: str = Field(max_length=200, description="a team or a person, in the author's words")
    due: datetime | None = Field(default=None, description="journey time")
    state: str = Field(default="open", max_length=16, description="open or done")
    done_by: str | None = Field(default=None, max_length=200)
    note: str | None = Field(default=None, max_length=2000)
    message: str | None = Field(default=None, max_length=64, description="the message that was answered")
    text: str | None = Field(default=None, sa_type=Text, description="what they wrote, as far as it is kept")
    pauses_until: datetime | None = Field(
        default=None, description="journey time: as long as it is open, no marketing goes to them until then"
    )
    tell_at: datetime | None = Field(
        default=None, description="database time from which the team is to be told by mail; None: it was, or is not"
    )
    tries: int = Field(default=0, description="how often telling them failed")
    test: bool = False
    at: datetime = Field(description="journey time")
    recorded_at: datetime
    done_at: datetime | None = Field(default=None, description="database time")
