"""Imports and what they left for somebody to look at: files are taken in by `tabiji import`."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import structlog
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import StrictRoute
from api.deps import PartsDep
from api.errors import ApiProblem, responses
from api.keys import By, Guarded
from models.duplicates import Duplicates
from models.reads.imports import (
    DuplicateShown,
    ImportShown,
    list_duplicates,
    list_imports,
    show_duplicate,
    show_import,
)
from tabiji.errors import UnknownImport

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(
    prefix="/v1",
    tags=["imports"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 422, 503),
)

Limit = Annotated[int, Query(ge=1, le=200)]


class ImportList(BaseModel):
    """Latest first."""

    imports: list[ImportShown]


class DuplicateList(BaseModel):
    """The likeliest first."""

    duplicates: list[DuplicateShown]


class Verdict(BaseModel):
    """What a pair is."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [{"verdict": "same"}]})

    verdict: Literal["same", "different"] = Field(
        description="same: merge them, which cannot be taken back; different: never ask again"
    )


@router.get("/imports", operation_id="listImports")
async def list_all(parts: PartsDep, limit: Limit = 50) -> ImportList:
    """Files that were imported, by whom and how far."""
    async with parts.database.read() as tx:
        return ImportList(imports=await list_imports(tx, limit=limit))


@router.get("/imports/{import_id}", operation_id="getImport", responses=responses(404))
async def get(import_id: UUID, parts: PartsDep) -> ImportShown:
    """One import."""
    async with parts.database.read() as tx:
        found = await show_import(tx, import_id)
    if found is None:
        raise ApiProblem(404, UnknownImport.code, f"no import {import_id}. List them with GET /v1/imports.")
    return found


@router.get("/duplicates", operation_id="listDuplicates")
async def duplicates(
    parts: PartsDep, state: Literal["open", "merged", "different"] = "open", limit: Limit = 50
) -> DuplicateList:
    """Pairs of contacts who may be one person. Nobody is merged until somebody says so."""
    async with parts.database.read() as tx:
        return DuplicateList(duplicates=await list_duplicates(tx, state=state, limit=limit))


@router.post("/duplicates/{pair_id}", operation_id="settleDuplicate", responses=responses(400, 404, 408, 409, 413, 415))
async def settle(pair_id: UUID, sent: Verdict, parts: PartsDep, key: By) -> DuplicateShown:
    """Say that two contacts are one person, which merges them, or that they are two."""
    before = await _existing(parts, pair_id)
    if before.state != "open":
        raise ApiProblem(409, "duplicate_settled", f"that pair has been settled: {before.state}")
    pairs = Duplicates(parts.database)
    if sent.verdict == "different":
        await pairs.tell_apart(pair_id, by=key.name)
    else:
        await pairs.merge(pair_id, parts.recorder, at=parts.clock.now(), by=key.name)
    log.info("duplicate.settled", pair=str(pair_id), verdict=sent.verdict, by=key.name)
    return await _existing(parts, pair_id)


async def _existing(parts: PartsDep, pair_id: UUID) -> DuplicateShown:
    async with parts.database.read() as tx:
        found = await show_duplicate(tx, pair_id)
    if found is None:
        raise ApiProblem(404, "unknown_duplicate", f"no pair {pair_id}. List them with GET /v1/duplicates.")
    return found
