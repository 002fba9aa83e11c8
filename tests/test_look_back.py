"""The look-back of a wait leaves the choice to the database, and must not lose what the condition would take."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from models.clock import SystemClock
from models.database import Database
from models.enroll import Pending
from models.incoming import Incoming
from models.record import Recorder
from models.waits import Waits
from tabiji.domain.conditions import Condition
from tabiji.domain.journeys import Catalog, JourneySpec, always
from tabiji.domain.orders import Listen
from tabiji.domain.tests import Equals

SPEC = JourneySpec(name="look-back", title="", triggers=(), goals=(), reentry=always)
VALUES: tuple[JsonValue, ...] = (
    "/pricing", "", " ", "null", "1", 1, 1.0, 0, True, "true", False, "花子", "\U0001f5fe", "é", "e\u0301",
    'say "hi"', "it's", "a\\b", "a\nb\t", "\u2028", "%_", "$.a", "{}", {}, [], {"a": "b"}, ["/pricing"],
)  # fmt: skip # a list of troublemakers
NAMES = ("path", "first_name", "with space", 'quote"d', "a.b", "$", "花", "0", "")


class Nobody:
    """An outbox that delivers nothing."""

    def offer(self, pending: Sequence[Pending]) -> None: ...


@pytest.mark.parametrize("name", NAMES)
async def test_a_look_back_finds_every_event_its_condition_takes(database: Database, name: str) -> None:
    catalog = Catalog([SPEC])
    recorder, waits = Recorder(database, catalog, SystemClock(), Nobody()), Waits(database, catalog, Nobody())
    now = datetime.now(UTC)

    def viewed(properties: dict[str, JsonValue]) -> Incoming:
        return Incoming(
            kind="page", name="Viewed", message_id=uuid.uuid4().hex, at=now, user_id="u", properties=properties
        )

    [first] = await recorder.record([viewed({})])
    entered = await recorder.enroll(SPEC.name, first.contact_id)
    recorded = await recorder.record([viewed({name: value, "other": "x"}) for value in VALUES])
    for visit, wanted in enumerate(VALUES):
        condition = Condition(event="Viewed", where=(Equals(path=name, value=wanted),))
        heard = await waits.listen(
            Listen(
                enrollment_id=entered.enrollment_id or "",
                contact_id=str(first.contact_id),
                step="wait",
                visit=visit,
                at=now,
                wall=now,
                condition=condition,
                entry_seq=first.seq,
            )
        )
        earliest = next(
            one.seq for one, value in zip(recorded, VALUES, strict=True) if condition.matches("Viewed", {name: value})
        )
        assert heard.event is not None, wanted
        assert heard.event.seq == earliest
