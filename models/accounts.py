"""Accounts and who belongs to them, from what `group` calls say: the latest of each attribute, in whatever order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import Account, AccountMember
from models.bulk import among
from models.database import insert, table
from models.incoming import GroupSaid
from tabiji.domain.attributes import problem_with_all
from tabiji.domain.registers import Register, latest, put
from tabiji.errors import InvalidEvent


@dataclass(frozen=True, slots=True)
class Joined:
    """One item says that its contact belongs to an account."""

    contact: UUID
    identity: str | None
    group: GroupSaid
    at: datetime


async def note_groups(tx: AsyncConnection, joined: Iterable[Joined], *, recorded_at: datetime) -> None:
    """Make accounts and memberships, and learn of the accounts what is said of them.

    Accounts are locked in the order of their ids, after the contacts. Who says nothing new of one does not lock it.

    Raises:
        InvalidEvent: An account would have more attributes than one may have.
    """
    said = list(joined)
    if not said:
        return
    first = {one.group.account_id: one.at for one in sorted(said, key=lambda one: one.at, reverse=True)}
    made: list[dict[str, Any]] = [
        {"id": id, "attributes": {}, "said": {}, "created_at": at, "recorded_at": recorded_at}
        for id, at in sorted(first.items())
    ]
    await tx.execute(insert(tx, Account).on_conflict_do_nothing(), made)
    await _learn(tx, [one for one in said if one.group.traits])
    await _join(tx, said, recorded_at)


async def _learn(tx: AsyncConnection, said: list[Joined]) -> None:
    rows = table(Account)
    ids = sorted({one.group.account_id for one in said})
    if not ids or not _put_all(await _registers(tx, ids), said):
        return
    registers = await _registers(tx, ids, lock=True)
    changed = _put_all(registers, said)
    values = [
        {"of": id, "said": dict(registers[id]), "attributes": _attributes(registers[id])} for id in sorted(changed)
    ]
    if values:
        mine = update(rows).where(rows.c.id == bindparam("of"))
        await tx.execute(mine.values(said=bindparam("said"), attributes=bindparam("attributes")), values)


async def _registers(tx: AsyncConnection, ids: list[str], *, lock: bool = False) -> dict[str, Register]:
    rows = table(Account)
    query = select(rows.c.id, rows.c.said).where(among(tx, rows.c.id, ids)).order_by(rows.c.id)
    found = await tx.execute(query.with_for_update() if lock else query)
    return {row.id: dict(row.said) for row in found}


def _put_all(registers: Mapping[str, Register], said: Iterable[Joined]) -> set[str]:
    changed: set[str] = set()
    for one in said:
        register = registers[one.group.account_id]
        for name, value in one.group.traits.items():
            if value is not None and put(register, name, value, one.at):
                changed.add(one.group.account_id)
    return changed


def _attributes(register: Register) -> dict[str, JsonValue]:
    attributes = {name: value for name, (_, value) in latest([register]).items()}
    if (problem := problem_with_all(attributes)) is not None:
        raise InvalidEvent("traits", problem.replace("a contact", "an account"))
    return attributes


async def _join(tx: AsyncConnection, said: list[Joined], recorded_at: datetime) -> None:
    members = table(AccountMember)
    statement = insert(tx, AccountMember)
    rows = {
        (one.group.account_id, one.identity or f"contact:{one.contact}"): (one.contact, one.at)
        for one in sorted(said, key=lambda one: one.at, reverse=True)
    }
    values: list[dict[str, Any]] = [
        {"account_id": account, "identity": identity, "contact_id": contact, "at": at, "recorded_at": recorded_at}
        for (account, identity), (contact, at) in sorted(rows.items())
    ]
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id", "identity"],
            set_={"at": statement.excluded.at},
            where=statement.excluded.at < members.c.at,
        ),
        values,
    )
