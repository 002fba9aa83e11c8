"""Changes of a contact by other systems: tags, lists, stage. Attributes are changed by `identify`.

Each may be sent again: what is so already is no change. What changes is recorded as an event, as when a journey
does it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy import func, select

from api.bodies import StrictRoute
from api.deps import Name, PartsDep
from api.errors import responses
from api.keys import Guarded
from api.parts import Parts
from models import edits
from models.change import Change
from models.database import table
from models.roster import ContactList, ListMember
from tabiji.domain.attributes import LONGEST_NAME

router = APIRouter(
    prefix="/v1",
    tags=["contacts"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 404, 422, 503),
)

Tag = Annotated[Name, Path(max_length=LONGEST_NAME, examples=["vip"])]
ListName = Annotated[Name, Path(max_length=LONGEST_NAME, examples=["newsletter"])]


class WasChanged(BaseModel):
    """Whether it is another than before."""

    contact_id: UUID
    changed: bool


class StageSent(BaseModel):
    """The stage they are in now."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"stage": "customer"}]})

    stage: Annotated[Name, StringConstraints(max_length=LONGEST_NAME)]


class ListShown(BaseModel):
    """A static list."""

    name: str
    contacts: int


class Lists(BaseModel):
    """By name."""

    lists: list[ListShown]


@router.put("/contacts/{contact_id}/tags/{tag}", operation_id="tagContact")
async def tag(contact_id: UUID, tag: Tag, parts: PartsDep) -> WasChanged:
    """Put a tag on a contact. Records `Tag Added` where it was not there."""
    return await _change(parts, contact_id, lambda change: edits.add_tag(change, tag))


@router.delete("/contacts/{contact_id}/tags/{tag}", operation_id="untagContact")
async def untag(contact_id: UUID, tag: Tag, parts: PartsDep) -> WasChanged:
    """Take a tag off a contact. Records `Tag Removed` where it was there."""
    return await _change(parts, contact_id, lambda change: edits.remove_tag(change, tag))


@router.put("/contacts/{contact_id}/stage", operation_id="setStage", responses=responses(400, 408, 413, 415))
async def stage(contact_id: UUID, body: StageSent, parts: PartsDep) -> WasChanged:
    """Move a contact to a stage of life. Records `Stage Changed` where it is another."""
    return await _change(parts, contact_id, lambda change: edits.set_stage(change, body.stage))


@router.put("/lists/{name}/contacts/{contact_id}", operation_id="joinList")
async def join(name: ListName, contact_id: UUID, parts: PartsDep) -> WasChanged:
    """Put a contact on a list, which is made where there is none. Records `List Joined` where they were not on it."""
    return await _change(parts, contact_id, lambda change: edits.join_list(change, name))


@router.delete("/lists/{name}/contacts/{contact_id}", operation_id="leaveList")
async def leave(name: ListName, contact_id: UUID, parts: PartsDep) -> WasChanged:
    """Take a contact off a list. Records `List Left` where they were on it."""
    return await _change(parts, contact_id, lambda change: edits.leave_list(change, name))


@router.get("/lists", operation_id="listLists")
async def lists(parts: PartsDep) -> Lists:
    """Every list, with how many are on it."""
    names, members = table(ContactList), table(ListMember)
    joined = names.outerjoin(members, members.c.list == names.c.name)
    query = (
        select(names.c.name, func.count(members.c.contact_id).label("contacts"))
        .select_from(joined)
        .group_by(names.c.name)
        .order_by(names.c.name)
    )
    async with parts.database.read() as tx:
        rows = (await tx.execute(query)).all()
    return Lists(lists=[ListShown(name=row.name, contacts=row.contacts) for row in rows])


async def _change(parts: Parts, contact_id: UUID, edit: Callable[[Change], Coroutine[Any, Any, bool]]) -> WasChanged:
    async def work(change: Change) -> WasChanged:
        return WasChanged(changed=await edit(change), contact_id=change.contact.id)

    return await parts.recorder.change(contact_id, work, source=f"api/{uuid.uuid4()}")
