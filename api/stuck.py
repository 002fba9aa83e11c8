"""What does not move although it should: tasks, queues and versions nobody works for, dispatches, timers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from temporalio.service import RPCError

from api.deps import PartsDep
from api.errors import responses
from api.keys import Guarded
from api.parts import Parts
from api.temporal_look import Look, look
from models.reads.late import LateDispatch, late_dispatches
from models.reads.pauses import PauseShown, tripped
from models.reads.webhooks import FailingWebhook, failing_webhooks

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(
    prefix="/v1/stuck", tags=["operations"], dependencies=[Guarded], responses=responses(401, 403, 422, 503)
)

LATE = timedelta(seconds=30)
LISTED = 100


class Stuck(BaseModel):
    """Everything that does not move, as far as the look went."""

    ok: bool = Field(description="nothing was found, and Temporal answered")
    checked_at: datetime
    dispatches: list[LateDispatch] = Field(
        description=f"not delivered for {LATE.total_seconds():.0f} seconds, or dead; at most {LISTED}"
    )
    webhooks: list[FailingWebhook] = Field(
        description="receivers that are disabled because nothing arrived, fail for an hour, or have fresh dead letters"
    )
    breaker: list[PauseShown] = Field(description="what the breaker has paused and nobody has resumed")
    temporal: Look | None = Field(description="null: Temporal does not answer")
    detail: str = Field(description="how far the look went, in words")


@router.get("", operation_id="listStuck")
async def stuck(
    parts: PartsDep,
    sample: Annotated[int, Query(ge=0, le=500, description="how many running journeys to look at")] = 50,
) -> Stuck:
    """List what is stuck. Looks at a sample of the running journeys and says how many there are."""
    async with parts.database.read() as tx:
        now = await parts.database.now(tx)
        late = await late_dispatches(parts.database, tx, older_than=LATE, limit=LISTED)
        failing = await failing_webhooks(tx)
        flooding = await tripped(tx)
    found = await _look(parts, sample)
    return Stuck(
        ok=found is not None and not (late or failing or flooding or found.troubled),
        checked_at=now,
        dispatches=late,
        webhooks=failing,
        breaker=flooding,
        temporal=found,
        detail="Temporal does not answer; nothing is known of journeys under way."
        if found is None
        else f"Looked at {found.sampled} of {found.running} running journeys.",
    )


async def _look(parts: Parts, sample: int) -> Look | None:
    try:
        settings = parts.settings
        return await look(parts.client, task_queue=settings.task_queue, deployment=settings.deployment, sample=sample)
    except (RPCError, RuntimeError) as error:
        log.warning("stuck.temporal_away", problem=type(error).__name__)
        return None
