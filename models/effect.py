"""Effects: what a step's order came to, so that a second attempt changes nothing and answers the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Column, Index, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from models.base import JsonColumn
from models.database import insert, table
from tabiji.domain.orders import StepOrder

A = TypeVar("A", bound=BaseModel)


class Effect(SQLModel, table=True):
    """One order that was carried out."""

    __table_args__ = (
        Index("ix_effect_contact_id_at", "contact_id", "at"),
        Index(
            "ix_effect_calls",
            "recorded_at",
            sqlite_where=text("activity = 'call_webhook'"),
            postgresql_where=text("activity = 'call_webhook'"),
        ),
    )

    key: str = Field(primary_key=True, max_length=420, description="enrollment, step and visit")
    contact_id: UUID = Field(foreign_key="contact.id")
    activity: str = Field(max_length=100)
    answer: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    at: datetime = Field(description="journey time")
    recorded_at: datetime


async def answered(tx: AsyncConnection, order: StepOrder, answer: type[A]) -> A | None:
    """What an earlier attempt of this order came to, None where there was none."""
    effects = table(Effect)
    found = await tx.scalar(select(effects.c.answer).where(effects.c.key == order.key))
    return None if found is None else answer.model_validate(found)


async def keep(
    tx: AsyncConnection, order: StepOrder, answer: BaseModel, *, contact_id: UUID, recorded_at: datetime
) -> None:
    """Write down what an order came to, in the transaction that carried it out."""
    await tx.execute(
        insert(tx, Effect)
        .values(
            key=order.key,
            contact_id=contact_id,
            activity=order.activity[:100],
            answer=answer.model_dump(mode="json"),
            at=order.at,
            recorded_at=recorded_at,
        )
        .on_conflict_do_nothing()
    )
