"""What web apps may say about who somebody is, in any order; what the rule makes of it; and what was stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import select

from models.account import AccountMember
from models.contact import Consent, Contact, Identity
from models.database import Database, table
from models.event import Event
from models.incoming import ConsentGiven, GroupSaid, Incoming
from tabiji.domain.facts import KIND
from tabiji.domain.identities import NOTHING, Claim, Key, Known, claims_of, heard, people

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
USERS = ("u1", "u2", "u3")
DEVICES = ("a1", "a2", "a3")
ADDRESSES = ("ann@example.com", "bob@example.com", "cho@example.com")


@dataclass(frozen=True)
class Said:
    """One call, with small numbers for times, so that some are of one moment."""

    minute: int
    user: str | None = None
    device: str | None = None
    address: str | None = None
    alias_of: str | None = None
    plan: str | None = None
    consent: bool | None = None
    group: str | None = None

    def incoming(self, run: str, place: int) -> Incoming:
        """As it comes in. Everything is of this run: nobody meets what another has left in the database."""
        of = {name: f"{run}{value}" if value else None for name, value in vars(self).items()}
        kind = "alias" if self.alias_of else "identify"
        return Incoming(
            kind=kind,
            name=kind.title(),
            message_id=f"{run}m{place}",
            at=NOON + timedelta(minutes=self.minute),
            user_id=of["user"],
            anonymous_id=of["device"],
            email=of["address"],
            previous_id=of["alias_of"],
            traits={"plan": self.plan} if self.plan else {},
            consent=ConsentGiven("news", self.consent, "form") if self.consent is not None else None,
            group=GroupSaid(f"{run}{self.group}") if self.group else None,
        )


def _named(said: Said) -> bool:
    return bool(said.user or said.device or said.address)


MINUTES = st.integers(0, 5)
CALLS = st.one_of(
    st.builds(
        Said,
        minute=MINUTES,
        user=st.none() | st.sampled_from(USERS),
        device=st.none() | st.sampled_from(DEVICES),
        address=st.none() | st.sampled_from(ADDRESSES),
        plan=st.none() | st.sampled_from(("free", "pro")),
        consent=st.none() | st.booleans(),
        group=st.none() | st.sampled_from(("acme", "emca")),
    ).filter(_named),
    st.builds(Said, minute=MINUTES, user=st.sampled_from(USERS), alias_of=st.sampled_from((*USERS, *DEVICES))),
)
"""What three people with three devices and three addresses may say."""


def batches(calls: Sequence[Incoming], cuts: Iterable[int]) -> list[list[Incoming]]:
    """Cut into batches at these places."""
    places = sorted({cut % (len(calls) + 1) for cut in cuts} | {0, len(calls)})
    return [list(calls[one:other]) for one, other in pairwise(places)]


@dataclass(frozen=True)
class Person:
    """One contact, as far as the order of the calls must not matter."""

    identities: frozenset[str]
    events: frozenset[str]
    address: str | None
    plan: Any
    consents: frozenset[tuple[bool, datetime]]
    accounts: frozenset[str]


def by_rule(calls: Iterable[Incoming]) -> set[Person]:
    """Who there should be, said by the rule alone."""
    calls = list(calls)
    known: dict[Key, Known] = {}
    claims: list[Claim] = []
    for one in calls:
        named = {"user": one.user_id, "email": one.email, "anonymous": one.anonymous_id, "previous": one.previous_id}
        user, email, anonymous, previous = named.values()
        claims += claims_of(user=user, email=email, anonymous=anonymous, previous=previous, at=one.at)
        known |= {(kind, value): NOTHING for kind, value in named.items() if value and kind != "previous"}
    known |= {key: known.get(key, NOTHING) for claim in claims for key in (claim.of, claim.by)}
    known |= heard(known, claims)
    person = people(known)
    parts: dict[Key, list[Key]] = defaultdict(list)
    for key, whose in person.items():
        parts[whose].append(key)
    said: dict[Key, list[Incoming]] = defaultdict(list)
    for one in calls:
        main = next((kind, value) for kind, value in _names(one) if value)
        said[person[main]].append(one)
    return {_person(keys, said[whose], known) for whose, keys in parts.items()}


def _names(one: Incoming) -> list[tuple[str, str | None]]:
    return [("user", one.user_id), ("email", one.email), ("anonymous", one.anonymous_id)]


def _person(keys: list[Key], calls: list[Incoming], known: dict[Key, Known]) -> Person:
    plans = [(one.at, one.traits["plan"]) for one in calls if "plan" in one.traits]
    return Person(
        identities=frozenset(f"{kind}:{value}" for kind, value in keys),
        events=frozenset(one.message_id for one in calls),
        address=_address({value for kind, value in keys if kind == "email"}, calls, known),
        plan=max(plans)[1] if plans else None,
        consents=frozenset((one.consent.given, one.at) for one in calls if one.consent is not None),
        accounts=frozenset(one.group.account_id for one in calls if one.group is not None),
    )


def _address(theirs: set[str], calls: list[Incoming], known: dict[Key, Known]) -> str | None:
    """The address they said last: of each of their user ids, what was said last under it."""
    if len(theirs) < 2:
        return next(iter(theirs), None)
    last: dict[str, tuple[datetime, str]] = {}
    for one in calls:
        if one.user_id and one.email:
            said = (one.at, one.email)
            last[one.user_id] = max(last.get(one.user_id, said), said)
    own = [said for said in last.values() if said[1] in theirs]
    if own:
        return max(own)[1]
    return max((first.at, value) for value in theirs if (first := known[("email", value)].user) is not None)[1]


async def as_stored(database: Database, run: str) -> set[Person]:
    """Who there is, of one run."""
    identities, events, contacts, consents = table(Identity), table(Event), table(Contact), table(Consent)
    members = table(AccountMember)
    async with database.read() as tx:
        theirs = (await tx.execute(select(identities).where(identities.c.value.like(f"{run}%")))).all()
        ids = {row.contact_id for row in theirs}
        people = (await tx.execute(select(contacts).where(contacts.c.id.in_(ids)))).all()
        done = (
            await tx.execute(select(events).where(events.c.message_id.like(f"{run}m%"), events.c.kind != KIND))
        ).all()
        agreed = (await tx.execute(select(consents).where(consents.c.contact_id.in_(ids)))).all()
        belong = (await tx.execute(select(members).where(members.c.account_id.like(f"{run}%")))).all()
    assert all(row.merged_into is None for row in people)
    assert {row.contact_id for row in [*done, *agreed, *belong]} <= ids, "something was left behind"
    return {
        Person(
            frozenset(f"{one.kind}:{one.value}" for one in theirs if one.contact_id == row.id),
            frozenset(one.message_id for one in done if one.contact_id == row.id),
            row.email,
            row.attributes.get("plan"),
            frozenset((one.given, one.at) for one in agreed if one.contact_id == row.id),
            frozenset(one.account_id for one in belong if one.contact_id == row.id),
        )
        for row in people
    }


def at(minute: int, **said: Any) -> Said:
    """A call, written shortly."""
    return replace(Said(minute), **said)
