"""No consent, no mail, whatever the journey says: every order of decisions, through the real recorder and ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from models.clock import SystemClock
from models.database import Database
from models.enroll import Pending
from models.incoming import ConsentGiven, Incoming
from models.ledger import Attempt, Claim, Ledger
from models.posting import Posting
from models.reads.contacts import find_contact, show_contact
from models.record import Recorder
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import SendOutcome
from tabiji.domain.sending.house import House
from tabiji.domain.topics import EVERYTHING, Topic, Topics

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
ATTEMPT = Attempt(run_id="run-1", activity_id="5", number=1, span=timedelta(minutes=1))
HOUSE = House(
    zone=ZoneInfo("UTC"), topics=Topics([Topic("news", purpose="A mail a month.", version="1", double_opt_in=True)])
)
ON_ONE_DATABASE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@dataclass(frozen=True)
class Says:
    """One decision: by whom of two users or by the address itself, at which minute, about what."""

    minute: int
    who: str
    topic: str = "news"
    given: bool = True
    confirmed: bool = True

    def incoming(self, run: str) -> Incoming:
        consent = ConsentGiven(self.topic, self.given, "test", confirmed=self.confirmed)
        who = {"email": _address(run)} if self.who == "address" else {"user_id": f"{run}{self.who}"}
        return Incoming(
            kind="manual",
            name="Consent Given",
            message_id=str(uuid4()),
            at=NOON + timedelta(minutes=self.minute),
            consent=consent,
            trusted=self.confirmed,
            **who,  # type: ignore[arg-type] # one of two texts
        )

    @property
    def is_no(self) -> bool:
        return not self.given

    @property
    def is_yes(self) -> bool:
        return self.given and self.confirmed and self.topic == "news"


@dataclass(frozen=True)
class Joins:
    """It turns out that they are one: the second user is the first, who has the address."""

    minute: int


SAYS = st.one_of(
    st.builds(Says, st.integers(0, 6), st.sampled_from(["u1", "u2", "address"]), st.just("news"), st.booleans()),
    st.builds(
        Says, st.integers(0, 6), st.sampled_from(["u1", "address"]), st.just("news"), st.just(True), st.just(False)
    ),
    st.builds(Says, st.integers(0, 6), st.sampled_from(["u1", "u2", "address"]), st.just(EVERYTHING), st.just(False)),
)


@settings(
    max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=ON_ONE_DATABASE
)
@given(st.lists(SAYS, max_size=7), st.integers(0, 7))
@example([Says(1, "u1"), Says(2, "u2", given=False)], 1)
@example([Says(1, "u1", given=False), Says(1, "address")], 0)
@example([Says(1, "u1"), Says(2, "address", confirmed=False)], 0)
async def test_a_mail_goes_out_only_where_the_last_certain_word_is_yes(
    sqlite: Database, said: list[Says], joined: int
) -> None:
    """Decisions come in any order of arrival; in the middle two contacts and an address turn out to be one person."""
    run = uuid4().hex[:8]
    for one in said[:joined]:
        await _record(sqlite, one.incoming(run))
    await _record(sqlite, *_one_person(run))
    for one in said[joined:]:
        await _record(sqlite, one.incoming(run))

    outcome = await _asked(sqlite, run)

    noes = [one.minute for one in said if one.is_no]
    agreed = any(one.is_yes and all(minute < one.minute for minute in noes) for one in said)
    assert isinstance(outcome, Claim) == agreed, (outcome, said)
    if isinstance(outcome, SendOutcome):
        assert (outcome.state, outcome.reason) in {
            ("refused", "no_consent"),
            ("refused", "not_confirmed"),
            ("refused", "unsubscribed_from_all"),
        }


async def test_a_no_by_a_link_goes_where_its_address_goes(sqlite: Database) -> None:
    """A user leaves by a mail's link; it turns out that the address was somebody else's first, with a yes of theirs."""
    run = uuid4().hex[:8]
    yes = Says(1, "address")
    late = _identify(run, "u2", minute=5, address=_address(run))
    early = _identify(run, "u1", minute=0, address=_address(run))
    await _record(sqlite, late, yes.incoming(run))
    async with sqlite.read() as tx:
        contact = await find_contact(tx, "email", _address(run))
    assert contact is not None
    no = ConsentGiven("news", given=False, source="unsubscribe-link", address=_address(run))
    left = Incoming(
        kind="mail",
        name="Unsubscribed",
        message_id=str(uuid4()),
        at=NOON + timedelta(minutes=3),
        contact_id=contact,
        consent=no,
    )
    await _record(sqlite, left)
    await _record(sqlite, early)

    outcome = await _asked(sqlite, run)
    assert isinstance(outcome, SendOutcome)
    assert outcome.reason == "no_consent"


class _Nowhere:
    def offer(self, pending: Sequence[Pending]) -> None:
        assert not pending


async def _record(database: Database, *items: Incoming) -> None:
    await Recorder(database, Catalog(), SystemClock(), _Nowhere()).record(items)


def _address(run: str) -> str:
    return f"{run}@example.com"


def _identify(run: str, user: str, *, minute: int, address: str | None = None, alias: str | None = None) -> Incoming:
    return Incoming(
        kind="alias" if alias else "identify",
        name="Identified",
        message_id=str(uuid4()),
        at=NOON + timedelta(minutes=minute),
        user_id=f"{run}{user}",
        email=address,
        previous_id=f"{run}{alias}" if alias else None,
    )


def _one_person(run: str) -> list[Incoming]:
    return [_identify(run, "u1", minute=0, address=_address(run)), _identify(run, "u1", minute=0, alias="u2")]


async def _asked(database: Database, run: str, topic: str = "news") -> Claim | SendOutcome:
    async with database.read() as tx:
        found = await find_contact(tx, "email", _address(run))
        assert found is not None
        contact = await show_contact(tx, found)
    assert contact is not None
    posting = Posting(
        key=f"test/{run}/{topic}",
        contact_id=contact.id,
        at=NOON + timedelta(days=1),
        template="news/hello",
        subject="Hello",
        address=contact.email,
        topic=topic,
    )
    return await Ledger(database, HOUSE).claim(posting, ATTEMPT)


@pytest.mark.parametrize("topic", ["news", "undeclared"])
async def test_nobody_who_was_never_asked_is_mailed(sqlite: Database, topic: str) -> None:
    run = uuid4().hex[:8]
    await _record(sqlite, *_one_person(run))
    outcome = await _asked(sqlite, run, topic)
    assert isinstance(outcome, SendOutcome)
    assert outcome.reason == "no_consent"
