"""Parameters: what authors have opened, what is in force, who turned it when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import StrictRoute
from api.deps import Name, PartsDep, Text
from api.errors import invalid, responses
from api.keys import Guarded, KeyDep
from models.database import AnyRow
from models.params import history, newest, newest_of_all, turn
from tabiji.domain.params import Param
from tabiji.errors import InvalidParam

router = APIRouter(
    prefix="/v1/params",
    tags=["params"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 503),
)
ParamName = Annotated[Text, Path(max_length=100, examples=["nudge-after"])]


class ParamOut(BaseModel):
    """A parameter and the value in force."""

    name: str
    title: str
    kind: str
    allowed: str = Field(description="what may be given, in words")
    choices: list[str]
    value: JsonValue
    in_words: str
    default: JsonValue
    moves: bool = Field(description="people who are inside get the newest too; else they keep what they entered with")
    version: int = Field(description="0: the author's default")
    set_by: str | None = None
    set_at: datetime | None = None


class ParamList(BaseModel):
    """Sorted by name."""

    params: list[ParamOut]


class ParamSent(BaseModel):
    """A new value."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"value": "3 days", "by": "hanako"}]})

    value: JsonValue
    by: Name | None = Field(default=None, description="who turns it; the key's name where it is not said")


class ParamVersion(BaseModel):
    """One change."""

    version: int
    before: JsonValue
    value: JsonValue
    set_by: str
    key: str
    set_at: datetime


class ParamHistory(BaseModel):
    """The latest first."""

    name: str
    versions: list[ParamVersion]


@router.get("", operation_id="listParams")
async def list_all(parts: PartsDep) -> ParamList:
    """What may be turned, and to what it is turned."""
    async with parts.database.read() as tx:
        rows = await newest_of_all(tx)
    return ParamList(params=[_out(param, rows.get(param.name)) for param in parts.params])


@router.get("/{name}", operation_id="getParam", responses=responses(404, 422))
async def get(name: ParamName, parts: PartsDep) -> ParamOut:
    """One parameter."""
    param = parts.params.get(name)
    async with parts.database.read() as tx:
        return _out(param, await newest(tx, name))


@router.get("/{name}/history", operation_id="getParamHistory", responses=responses(404, 422))
async def past(name: ParamName, parts: PartsDep, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> ParamHistory:
    """Who turned it, when, from what to what."""
    parts.params.get(name)
    async with parts.database.read() as tx:
        rows = await history(tx, name, limit=limit)
    return ParamHistory(
        name=name,
        versions=[
            ParamVersion(
                version=row.version, before=row.before, value=row.value,
                set_by=row.set_by, key=row.key, set_at=row.recorded_at,
            )
            for row in rows
        ],
    )  # fmt: skip # one version


@router.put("/{name}", operation_id="setParam", responses=responses(400, 404, 408, 413, 415, 422))
async def put(name: ParamName, sent: ParamSent, parts: PartsDep, key: KeyDep) -> ParamOut:
    """Turn it, within the bounds its author set. Who enters from now on gets the new value."""
    param = parts.params.get(name)
    try:
        param.parse(sent.value)
    except InvalidParam as error:
        raise invalid("value", f"must be {error.allowed}") from None

    async def work(tx: AsyncConnection) -> AnyRow:
        now = await parts.database.now(tx)
        return await turn(tx, param, sent.value, by=sent.by or key.name, key=key.name, recorded_at=now)

    return _out(param, await parts.database.transact(work))


def _out(param: Param[Any], row: AnyRow | None) -> ParamOut:
    default = param.dump(param.default)
    value: JsonValue = default if row is None else row.value
    return ParamOut(
        name=param.name,
        title=param.title,
        kind=param.kind,
        allowed=param.allowed,
        choices=list(param.choices),
        value=value,
        in_words=_words(param, value),
        default=default,
        moves=param.moves,
        version=0 if row is None else row.version,
        set_by=None if row is None else row.set_by,
        set_at=None if row is None else row.recorded_at,
    )


def _words(param: Param[Any], value: JsonValue) -> str:
    try:
        return param.in_words(param.parse(value))
    except InvalidParam:
        # The author has drawn the bounds closer since: the default is in force.
        return f"{value}, which the author no longer allows: {param.in_words(param.default)} is in force"
