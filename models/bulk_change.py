"""Changes many rows, each in its own way, in one statement.

    _SENT = Changes(Message, ("key", "token"), ("state", "reply"), where="state IN ('claimed', 'on_wire')")
    changed = await _SENT.write(tx, [(key, token, "sent", "250 ok"), …])      the keys whose rows were changed

As with `models.bulk`, the text of a statement is the same whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from models.bulk import as_json, cast_of, encoded, type_of
from models.database import table
from models.driver import fetch


class Changes:
    """Sets columns of rows that are found by others."""

    def __init__(self, model: type[SQLModel], by: Sequence[str], columns: Sequence[str], *, where: str = "") -> None:
        """Prepare.

        Args:
            model: The table.
            by: The columns a row is found by, the first of them text; an index begins with them.
            columns: Those that are set, none of them true or false.
            where: What must hold of a row beside, in SQL both databases know. Columns are those of the table alone.
        """
        of = table(model)
        self._columns = [of.c[name] for name in (*by, *columns)]
        places = range(len(self._columns))
        names = ", ".join(f"c{place}" for place in places)
        found = " AND ".join(f"{of.name}.{name} = given.c{place}" for place, name in enumerate(by))
        found += f" AND {where}" if where else ""
        values = [f"given.c{place}" for place in places][len(by) :]
        arrays = ", ".join(f"${place}::{type_of(one)}[]" for place, one in enumerate(self._columns, 1))
        casts = map(cast_of, self._columns[len(by) :])
        sets = ", ".join(f"{name} = {value}{to}" for name, value, to in zip(columns, values, casts, strict=True))
        returning = f"{of.name}.{by[0]}"
        self._postgresql = (
            f"UPDATE {of.name} SET {sets} FROM unnest({arrays}) AS given({names}) "  # noqa: S608 # our own names
            f"WHERE {found} RETURNING {returning}"
        )
        sets = ", ".join(f"{name} = {value}" for name, value in zip(columns, values, strict=True))
        given = ", ".join(f"value ->> {place} AS c{place}" for place in places)
        self._sqlite = (
            f"UPDATE {of.name} SET {sets} FROM (SELECT {given} FROM json_each(?)) AS given "  # noqa: S608 # see above
            f"WHERE {found} RETURNING {by[0]}"
        )

    async def write(self, tx: AsyncConnection, rows: Sequence[Sequence[Any]]) -> set[str]:
        """Change them; of those that were changed, the first of the columns they are found by."""
        if not rows:
            return set()
        columns = [
            encoded(tx.dialect.name, column, values)
            for column, values in zip(self._columns, zip(*rows, strict=True), strict=True)
        ]
        if tx.dialect.name == "postgresql":
            changed = await fetch(tx, self._postgresql, tuple(columns))
        else:
            changed = await fetch(tx, self._sqlite, (as_json(list(zip(*columns, strict=True))),))
        return {str(row[0]) for row in changed}
