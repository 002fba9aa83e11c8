"""Accounts as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import Account, AccountMember
from models.contact import Contact
from models.database import table
from models.reads.shapes import Shown
from tabiji.errors import UnknownAccount


class MemberShown(Shown):
    """A contact that belongs to the account."""

    contact_id: UUID
    email: str | None
    since: datetime = Field(description="journey time of the first that said so")


class AccountShown(Shown):
    """An account, and a page of who belongs to it."""

    id: str
    attributes: dict[str, Any]
    created_at: datetime
    contacts: int = Field(description="how many belong to it")
    members: list[MemberShown]
    next: UUID | None = Field(description="give it as `after` for the next page; null: there is none")


async def show_account(tx: AsyncConnection, account_id: str, *, after: UUID | None, limit: int) -> AccountShown:
    """One account, with its members by id.

    Raises:
        UnknownAccount: There is none of that id.
    """
    accounts, members, contacts = table(Account), table(AccountMember), table(Contact)
    row = (await tx.execute(select(accounts).where(accounts.c.id == account_id))).one_or_none()
    if row is None:
        raise UnknownAccount(account_id)
    mine = members.c.account_id == account_id
    total = await tx.scalar(select(func.count(members.c.contact_id.distinct())).where(mine))
    page = (
        select(members.c.contact_id, contacts.c.email, func.min(members.c.at, type_=members.c.at.type).label("since"))
        .join(contacts, contacts.c.id == members.c.contact_id)
        .where(mine if after is None else mine & (members.c.contact_id > after))
        .group_by(members.c.contact_id, contacts.c.email)
        .order_by(members.c.contact_id)
        .limit(limit + 1)
    )
    rows = (await tx.execute(page)).all()
    shown = [MemberShown(contact_id=one.contact_id, email=one.email, since=one.since) for one in rows[:limit]]
    return AccountShown(
        id=row.id,
        attributes=row.attributes,
        created_at=row.created_at,
        contacts=total or 0,
        members=shown,
        next=shown[-1].contact_id if len(rows) > limit else None,
    )
