"""Accounts: companies or teams that `group` calls name, and the contacts that belong to them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.bodies import StrictRoute
from api.deps import Identifier, PartsDep
from api.errors import responses
from api.keys import Guarded
from models.reads.accounts import AccountShown, show_account

router = APIRouter(
    prefix="/v1/accounts",
    tags=["accounts"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 404, 422, 503),
)


@router.get("/{account_id:path}", operation_id="getAccount")
async def get(
    account_id: Identifier,
    parts: PartsDep,
    *,
    after: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="members on a page")] = 50,
) -> AccountShown:
    """One account: what is known of it, and who belongs to it."""
    async with parts.database.read() as tx:
        return await show_account(tx, account_id, after=after, limit=limit)
