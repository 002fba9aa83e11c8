"""Whether this process lives, whether it can work, and what it has done."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from temporalio.client import Client
from temporalio.service import RPCError

from api.deps import PartsDep
from api.errors import responses
from api.keys import Guarded
from api.parts import Parts
from models import schema
from models.reads.late import backlog
from models.reads.launches import stopped_pilots
from models.reads.pauses import figures
from tabiji.errors import ConfigurationError, DatabaseDown

router = APIRouter(tags=["health"])

PATIENCE = timedelta(seconds=2)


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class PartHealth(BaseModel):
    """One part this process works with."""

    status: Literal["ok", "away"]
    detail: str


class Readiness(BaseModel):
    """`ok`; `degraded`: events are taken and kept, journeys move once Temporal is back; `away`: nothing can be kept."""

    status: Literal["ok", "degraded", "away"]
    database: PartHealth
    temporal: PartHealth


@router.get("/healthz", operation_id="alive")
async def alive() -> Alive:
    """Whether the process lives. Says nothing of database or Temporal: restarting would not mend those."""
    return Alive()


@router.get(
    "/readyz",
    operation_id="ready",
    responses={503: {"model": Readiness, "description": "The database is away or has another schema: send no traffic"}},
)
async def ready(parts: PartsDep, response: Response) -> Readiness:
    """Whether the process can work.

    Temporal away is not a reason to send traffic elsewhere: events are taken, kept and delivered later.
    """
    database, temporal = await _database(parts), await temporal_health(parts.client)
    if database.status == "away":
        response.status_code = 503
        response.headers["Retry-After"] = "2"
        return Readiness(status="away", database=database, temporal=temporal)
    status: Literal["ok", "degraded"] = "ok" if temporal.status == "ok" else "degraded"
    return Readiness(status=status, database=database, temporal=temporal)


@router.get(
    "/metrics",
    operation_id="metrics",
    dependencies=[Guarded],
    response_class=Response,
    responses={
        200: {"description": "Prometheus text", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **responses(401, 403, 503),
    },
)
async def metrics(parts: PartsDep) -> Response:
    """Requests, events, deliveries and how late they are."""
    async with parts.database.read() as tx:
        parts.metrics.show_backlog(await backlog(parts.database, tx))
        parts.metrics.show_control(await figures(tx), await stopped_pilots(tx))
    return Response(generate_latest(parts.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def temporal_health(client: Client) -> PartHealth:
    """Whether Temporal answers, within two seconds."""
    try:
        await client.service_client.check_health(timeout=PATIENCE)
    except (RPCError, RuntimeError) as error:
        kind = error.status.name if isinstance(error, RPCError) else type(error).__name__
        return PartHealth(status="away", detail=f"does not answer ({kind}); events are kept until it does")
    return PartHealth(status="ok", detail="answers")


async def _database(parts: Parts) -> PartHealth:
    try:
        await schema.check(parts.database)
    except schema.NewerSchema:
        # It was right when this process started: a migration has run, and the new processes are on their way.
        # Turning all traffic away until then would make every deploy an outage.
        return PartHealth(status="ok", detail="answers, and is newer than this process: replace it soon")
    except (DatabaseDown, ConfigurationError) as error:
        return PartHealth(status="away", detail=str(error))
    return PartHealth(status="ok", detail=f"{parts.database.dialect} answers and has the schema")
