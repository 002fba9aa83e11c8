"""Experiments: what each says, and decisions about them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import StrictRoute
from api.deps import Name, PartsDep, Text
from api.errors import responses
from api.keys import Guarded, KeyDep
from models.deciding import decide
from models.reads.experiments import ExperimentListed, ExperimentShown, list_experiments, show_experiment

router = APIRouter(
    prefix="/v1/experiments",
    tags=["experiments"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 422, 503),
)
ExperimentName = Annotated[Text, Path(max_length=100, examples=["welcome subject"])]


class ExperimentList(BaseModel):
    """The latest first."""

    experiments: list[ExperimentListed]


class DecisionSent(BaseModel):
    """The arm everybody gets who has none yet; null lets the experiment go on."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"arm": "warm", "by": "Sato", "note": "reads better, too"}]}
    )

    arm: Annotated[Text, Field(max_length=100)] | None
    by: Name | None = Field(default=None, description="who decides; the key's name where it is not said")
    note: Annotated[Text, Field(max_length=500)] | None = None


@router.get("", operation_id="listExperiments")
async def experiments(parts: PartsDep) -> ExperimentList:
    """All experiments that have begun: splits, tests of content, holdouts."""
    async with parts.database.read() as tx:
        return ExperimentList(experiments=await list_experiments(tx))


@router.get("/{name:path}", operation_id="showExperiment", responses=responses(404))
async def experiment(name: ExperimentName, parts: PartsDep) -> ExperimentShown:
    """What an experiment says now. Look as often as you like: it spoils nothing."""
    async with parts.database.read() as tx:
        return await show_experiment(tx, name, now=parts.clock.now())


@router.post("/{name:path}/decision", operation_id="decideExperiment", responses=responses(400, 404, 408, 413, 415))
async def decision(name: ExperimentName, body: DecisionSent, parts: PartsDep, key: KeyDep) -> ExperimentShown:
    """Decide, whatever the figures say. Who has an arm keeps it."""
    await decide(parts.database, name, body.arm, by=body.by or key.name, reason=body.note)
    async with parts.database.read() as tx:
        return await show_experiment(tx, name, now=parts.clock.now())
