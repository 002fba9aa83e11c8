"""Whatever a worker can do to the outside stops at a pause, and does nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints
from uuid import UUID

import pytest
from sqlalchemy import func, select
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.registry import registered
from models.clock import SystemClock
from models.control import pass_gate
from models.database import Database, table
from models.ledger import Claim
from models.message import Message
from models.pause import Held, Scope
from models.pauses import Pauses
from tabiji.domain.changes import OwnOrder
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import SendOutcome, StepOrder
from tabiji.domain.topics import Topics
from tabiji.errors import Paused
from tabiji.plugin import ErrorTranslation, Gated
from tests.api.conftest import settings_for
from tests.mail.people import NOON, Person, message, person
from tests.mail.test_ledger import FIRST, SECOND, ledger, posting
from tests.road.parts import Kept

__all__ = ["ledger"]

BOOKKEEPING = {"listen", "look_back", "appoint", "ended", "look_up", "expose"}
"""Reads and what an enrollment writes about itself: a pause does not stop them."""

SAID: dict[str, Any] = {
    "template": "whitepaper/welcome",
    "reason": "a reason",
    "points": 1,
    "tag": "vip",
    "list": "newsletter",
    "name": "plan",
    "value": "pro",
    "amount": 1.0,
    "stage": "mql",
    "title": "Call them",
    "who": "sales",
    "url": "https://example.com/hook",
    "team": "sales",
    "text": "words",
    "question": "Shall we?",
    "until": NOON + timedelta(days=1),
    "journey": "whitepaper-nurture",
    "wall": NOON,
}


async def paused(database: Database) -> UUID:
    id, _ = await Pauses(database, SystemClock()).pause(Scope.EVERYTHING, "", by="ops", reason=None)
    return id


async def changed_rows(database: Database) -> dict[str, int]:
    async with database.read() as tx:
        tables = [found for found in table(Message).metadata.tables.values() if found.name not in ("held", "pause")]
        return {one.name: await tx.scalar(select(func.count()).select_from(one)) or 0 for one in tables}


async def test_every_effect_a_worker_has_stops_at_a_pause_and_changes_nothing(sqlite: Database, tmp_path: Path) -> None:
    """A new activity that forgets to ask fails here."""
    hanako = await person(sqlite)
    await paused(sqlite)
    before, met = await changed_rows(sqlite), set[str]()
    settings = settings_for(sqlite, tmp_path, templates=Path("templates"))
    async with registered(settings, sqlite, Catalog(discovered()), Kept(), Topics()) as activities:
        for act in activities:
            order = order_for(act, hanako)
            if order is None:
                continue
            with pytest.raises(Paused):
                await ActivityEnvironment().run(act, order)
            met.add(order.activity)

    assert {"send_email", "notify_sales", "adjust_score", "tag", "enter", "call_webhook", "create_task"} <= met
    assert await changed_rows(sqlite) == before
    async with sqlite.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(table(Held))) == 1


def discovered() -> list[Any]:
    from tabiji.journey.discovery import discover

    return [journey.spec for journey in discover()]


def order_for(act: Callable[..., Any], who: Person) -> StepOrder | None:
    """What a journey would say; None for what is no effect of a step."""
    name = getattr(act, "__temporal_activity_definition").name  # the SDK's own mark on it
    hints = [kind for argument, kind in get_type_hints(act).items() if argument != "return"]
    kind: Any = hints[0] if hints else None
    if (
        name in BOOKKEEPING
        or not (isinstance(kind, type) and issubclass(kind, StepOrder))
        or issubclass(kind, OwnOrder)
    ):
        return None
    said = {field: SAID[field] for field, about in kind.model_fields.items() if field in SAID and about.is_required()}
    step = {"enrollment_id": who.enrollment, "contact_id": str(who.id), "step": str(name), "visit": 1, "at": NOON}
    return kind.model_validate(step | said)


async def test_a_mail_is_not_claimed_in_a_pause_and_one_that_is_out_stays_out(database: Database, ledger: Any) -> None:
    hanako = await person(database)
    before, during = hanako.mail(), hanako.mail().model_copy(update={"step": "later"})
    claim = await ledger.claim(posting(before), FIRST)
    assert isinstance(claim, Claim)
    await ledger.sent(claim, "250 ok")
    id = await paused(database)

    assert await ledger.claim(posting(before), SECOND) == SendOutcome(state="sent")
    with pytest.raises(Paused):
        await ledger.claim(posting(during), FIRST)
    async with database.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(table(Message))) == 1

    await Pauses(database, SystemClock()).resume(id, by="ops")
    assert isinstance(await ledger.claim(posting(during), FIRST), Claim)
    assert (await message(database, during.key)).state == "on_wire"


class Author(ActivityInboundInterceptor):
    """Stands where the author's code is run."""

    def __init__(self) -> None:
        self.ran = 0

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        self.ran += 1
        return None


async def test_an_authors_own_activity_does_not_begin_in_a_pause(sqlite: Database) -> None:
    hanako, author = await person(sqlite), Author()
    order = OwnOrder[str].model_validate(vars(hanako.mail()) | {"payload": "x"})
    chain = ErrorTranslation().intercept_activity(Gated(partial(pass_gate, sqlite)).intercept_activity(author))
    given = ExecuteActivityInput(fn=print, args=[order], executor=None, headers={})

    await chain.execute_activity(given)
    await paused(sqlite)
    with pytest.raises(ApplicationError) as refused:
        await chain.execute_activity(given)

    assert (refused.value.type, refused.value.non_retryable, author.ran) == ("paused", True, 1)
