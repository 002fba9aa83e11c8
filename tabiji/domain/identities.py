"""Who is who: people as a function of what was claimed about identities, in whatever order it came.

    known = heard({}, claims)       the first claims about each identity: all that is remembered
    person = people(known)          whose each identity is
    homes(person, contact_of)       which contact each person keeps, and which ones are merged into it

A claim says that two identities were named together, and when. Of an identity only the first claim of each more
telling kind counts, so what is remembered does not grow, and the order in which claims arrive changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

Key = tuple[str, str]
"""Kind and value of an identity."""

USER, EMAIL, ANONYMOUS = "user", "email", "anonymous"
KINDS = (USER, EMAIL, ANONYMOUS)
"""The most telling first."""


class First(NamedTuple):
    """The claim that counts: what is vouched for before what only a browser says, then the earliest."""

    doubted: bool
    at: datetime
    value: str


class Claim(NamedTuple):
    """`of` was named together with `by`, a more telling identity; of two user ids, `of` is an alias of `by`."""

    of: Key
    by: Key
    at: datetime
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """The first claims about one identity."""

    user: First | None = None
    email: First | None = None


NOTHING = Known()


def claims_of(
    *,
    user: str | None,
    email: str | None,
    anonymous: str | None,
    at: datetime,
    previous: str | None = None,
    vouched: bool = True,
) -> list[Claim]:
    """What one call claims.

    The previous id of an alias does not say of what kind it is. It is taken for each kind it can be: what it is not,
    nobody ever names.
    """
    claims: list[Claim] = []
    if user is not None:
        by = (USER, user)
        # Who has an address typed in by any visitor is no reason to take it from whom a server says it belongs to.
        claims += [Claim((EMAIL, email), by, at, not vouched)] if email is not None else []
        claims += [Claim((ANONYMOUS, anonymous), by, at)] if anonymous is not None else []
        if previous is not None and previous != user:
            claims.append(Claim((ANONYMOUS, previous), by, at))
            if vouched:
                claims.append(Claim((USER, previous), by, at))
                claims += [Claim((EMAIL, previous), by, at)] if "@" in previous else []
    if email is not None and anonymous is not None:
        claims.append(Claim((ANONYMOUS, anonymous), (EMAIL, email), at))
    return claims


def heard(known: Mapping[Key, Known], claims: Iterable[Claim]) -> dict[Key, Known]:
    """The identities about which these claims say something earlier than what is known."""
    changed: dict[Key, Known] = {}
    for claim in claims:
        before = changed.get(claim.of) or known.get(claim.of) or NOTHING
        after = _with(before, claim)
        if after is not before:
            changed[claim.of] = after
    return changed


def says_more(known: Known, claim: Claim) -> bool:
    """Whether a claim is earlier than what is known."""
    return _with(known, claim) is not known


def _with(known: Known, claim: Claim) -> Known:
    kind, value = claim.by
    first = First(claim.doubted, claim.at, value)
    if kind == USER:
        return replace(known, user=first) if known.user is None or first < known.user else known
    return replace(known, email=first) if known.email is None or first < known.email else known


def people(known: Mapping[Key, Known]) -> dict[Key, Key]:
    """Whose each identity is. A person is named by the first of their most telling identities.

    Args:
        known: Every identity that the ones asked about are connected with.
    """
    users = _users(known)
    joined = _joined(known, users)

    def whose(key: Key) -> Key:
        kind, value = key
        claims = known.get(key, NOTHING)
        if kind == USER:
            return USER, users.get(value, value)
        if kind == EMAIL:
            user = claims.user.value if claims.user else joined.get(value)
            return whose((USER, user)) if user is not None else key
        named = [(first.at, of, first.value) for of, first in ((USER, claims.user), (EMAIL, claims.email)) if first]
        # Of one moment it is the user, who is the more telling.
        return whose(min(named, key=lambda one: (one[0], KINDS.index(one[1])))[1:]) if named else key

    return {key: whose(key) for key in known}


def _users(known: Mapping[Key, Known]) -> dict[str, str]:
    """Users who are one by alias, each with the least of them."""
    least: dict[str, str] = {}

    def find(user: str) -> str:
        while (up := least.get(user, user)) != user:
            user = up
        return user

    for (kind, value), claims in known.items():
        if kind == USER and claims.user is not None:
            one, other = sorted((find(value), find(claims.user.value)))
            least[other] = one
    return {user: find(user) for user in list(least)}


def _joined(known: Mapping[Key, Known], users: Mapping[str, str]) -> dict[str, str]:
    """Addresses no user has claimed, with the user who shares an anonymous id with them and has no other address."""
    addressed = {
        users.get(claims.user.value, claims.user.value)
        for (kind, _), claims in known.items()
        if kind == EMAIL and claims.user is not None
    }
    best: dict[str, tuple[datetime, str, str]] = {}
    for (kind, value), claims in known.items():
        if kind != ANONYMOUS or claims.user is None or claims.email is None:
            continue
        address, user = claims.email.value, users.get(claims.user.value, claims.user.value)
        if user in addressed or known.get((EMAIL, address), NOTHING).user is not None:
            continue
        shared = (max(claims.user.at, claims.email.at), value, user)
        best[address] = min(best.get(address, shared), shared)
    first: dict[str, tuple[datetime, str]] = {}
    for address, (at, _, user) in best.items():
        first[user] = min(first.get(user, (at, address)), (at, address))
    return {address: user for user, (_, address) in first.items()}


class Homes(NamedTuple):
    """Which contact each person has, None where one must be made; and which contacts are merged into which."""

    contact: dict[Key, UUID | None]
    merged: dict[UUID, UUID]


def homes(person: Mapping[Key, Key], contact_of: Mapping[Key, UUID]) -> Homes:
    """Give each person a contact: one they have already where there is any.

    A contact stays with the most telling of its identities. Where several stay with one person the one with the most
    telling identity is kept, of these the oldest, and the others are merged into it.

    Args:
        person: What `people` says.
        contact_of: The contact of each identity so far, with all identities of each.
    """
    best: dict[UUID, Key] = {}
    for key in sorted(contact_of, key=_telling):
        best.setdefault(contact_of[key], key)
    staying: dict[Key, list[tuple[int, UUID]]] = defaultdict(list)
    for contact, key in best.items():
        staying[person[key]].append((KINDS.index(key[0]), contact))
    kept: dict[Key, UUID | None] = dict.fromkeys(person.values())
    kept |= {one: min(theirs)[1] for one, theirs in staying.items()}
    merged: dict[UUID, UUID] = {}
    for theirs in staying.values():
        into = min(theirs)[1]
        merged |= {contact: into for _, contact in theirs if contact != into}
    return Homes(kept, merged)


def _telling(key: Key) -> tuple[int, str]:
    return KINDS.index(key[0]), key[1]


def written(key: Key) -> str:
    """An identity in one text, as events keep it."""
    return f"{key[0]}:{key[1]}"
