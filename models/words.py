"""What an item says about who somebody is, as far as it is believed.

What a browser says can be said by anybody. It names who it comes from, and it may give its own anonymous past to a
user. It cannot take an address that leads to somebody else, nor give another address to somebody who has one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from models.incoming import Incoming
from tabiji.domain.identities import ANONYMOUS, EMAIL, USER, Claim, Key, claims_of


class Around(Protocol):
    """What is known of the identities: see `Surroundings`."""

    contact_of: dict[Key, UUID]
    contacts: dict[UUID, UUID]

    def anchor(self, contact: UUID) -> Key | None:
        """See there."""
        ...

    def user_of(self, contact: UUID) -> str | None:
        """See there."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """An item that may say something new, its place in the batch, and when it came in."""

    place: int
    item: Incoming
    now: datetime

    @property
    def keys(self) -> list[Key]:
        """All identities it may be about."""
        item = self.item
        named = [(USER, item.user_id), (EMAIL, item.email), (ANONYMOUS, item.anonymous_id)]
        named += [(kind, item.previous_id) for kind in (USER, EMAIL, ANONYMOUS)]
        return [(kind, value) for kind, value in named if value]


@dataclass(frozen=True, slots=True)
class Words:
    """What is believed of a call."""

    main: Key | None
    """The identity it comes under; None where it names the contact."""
    contact: UUID | None
    address: str | None
    claims: list[Claim] = field(default_factory=list[Claim])
    alone: tuple[Key, ...] = ()
    """Identities of which nothing is claimed but that they are the contact's."""

    @property
    def keys(self) -> list[Key]:
        """Every identity these words are about."""
        keys = [key for claim in self.claims for key in (claim.of, claim.by)]
        return [*keys, *self.alone, *((self.main,) if self.main is not None else ())]


def words_of(call: Call, around: Around) -> Words:
    """What is believed of a call, by what was known before its batch."""
    item = call.item
    if item.contact_id is not None:
        return _of_contact(call, around, around.contacts[item.contact_id])
    user, email, anonymous = item.user_id or None, item.email or None, item.anonymous_id or None
    main = (USER, user) if user else (EMAIL, email) if email else (ANONYMOUS, anonymous) if anonymous else None
    at = item.at
    if not item.trusted:
        at = call.now
        if email and not _may_say(email, user, anonymous, around):
            # Where nobody else is named it is still said under this address; it gives nothing to whoever says it.
            email, anonymous = (None, anonymous) if user else (email, None)
    claims = claims_of(
        user=user, email=email, anonymous=anonymous, at=at, previous=item.previous_id or None, vouched=item.trusted
    )
    return Words(main, None, email, claims)


def _may_say(email: str, user: str | None, anonymous: str | None, around: Around) -> bool:
    """Whether a browser may connect this address with the others it names."""
    leads_to = around.contact_of.get((EMAIL, email))
    theirs = around.contact_of.get((USER, user)) if user else None
    own = around.contact_of.get((ANONYMOUS, anonymous)) if anonymous else None
    if leads_to is None:
        return theirs is None or not any(kind == EMAIL and to == theirs for (kind, _), to in around.contact_of.items())
    if theirs is not None:
        return leads_to == theirs
    # A visitor who gave this address before, and now gives the user id they have just been given.
    return leads_to == own and (user is None or around.user_of(leads_to) is None)


def _of_contact(call: Call, around: Around, contact: UUID) -> Words:
    """An item that names the contact gives it the identities it names besides, where they are nobody's."""
    item = call.item
    email, anonymous = item.email or None, item.anonymous_id or None
    at = item.at if item.trusted else call.now
    anchor = around.anchor(contact)
    if anchor is None:
        together = claims_of(user=None, email=email, anonymous=anonymous, at=at)
        given = [(EMAIL, email)] if email else [(ANONYMOUS, anonymous)] if anonymous else []
        return Words(None, contact, email, together, tuple((kind, value) for kind, value in given if value))
    kind, value = anchor
    user = value if kind == USER else around.user_of(contact)
    claims = list[Claim]()
    if kind == EMAIL:
        claims = claims_of(user=None, email=value, anonymous=anonymous, at=at)
    elif user is not None:
        claims = claims_of(user=user, email=None, anonymous=anonymous, at=at)
    if email and user is not None:
        claims += claims_of(user=user, email=email, anonymous=None, at=at, vouched=item.trusted)
    elif email and kind == ANONYMOUS:
        claims += claims_of(user=None, email=email, anonymous=value, at=at)
        claims += claims_of(user=None, email=email, anonymous=anonymous, at=at)
    return Words(None, contact, email, claims)
