"""Which of a contact's decisions about a topic is in force."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table


def latest_first(consents: Table) -> tuple[Any, ...]:
    """The order in which decisions count: what was decided last, whenever it came in; of one moment the no."""
    return consents.c.at.desc(), consents.c.given, consents.c.id.desc()


def latest_last(consents: Table) -> tuple[Any, ...]:
    """The same the other way round."""
    return consents.c.at, consents.c.given.desc(), consents.c.id
