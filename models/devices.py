"""Devices nobody has heard of, of users who are known: what most people do who are new to a batch.

Nothing hangs on such an anonymous id yet, so it is its user's, and nothing else need be read to know that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from models.surroundings import IdentityRow
from models.words import Call
from tabiji.domain.identities import ANONYMOUS, EMAIL, NOTHING, USER, Claim, Key, Known, claims_of, heard


def new_devices(calls: Iterable[Call], rows: Mapping[Key, IdentityRow]) -> dict[Key, tuple[Known, UUID]]:
    """Of each such device what is known of it now, and whose it is.

    Args:
        calls: All that may say something new.
        rows: What is known of the identities they name.
    """
    of_device: dict[Key, list[Call]] = defaultdict(list)
    spoken_of = {call.item.previous_id for call in calls if call.item.previous_id}
    for call in calls:
        anonymous = call.item.anonymous_id
        if anonymous and (ANONYMOUS, anonymous) not in rows and anonymous not in spoken_of:
            of_device[ANONYMOUS, anonymous].append(call)
    found: dict[Key, tuple[Known, UUID]] = {}
    for device, theirs in of_device.items():
        contacts = {_contact(call, rows) for call in theirs}
        contact = contacts.pop()
        if contact is not None and not contacts:
            claims = [claim for call in theirs for claim in _claims(call) if claim.of == device]
            found[device] = heard({}, claims).get(device, NOTHING), contact
    return found


def _contact(call: Call, rows: Mapping[Key, IdentityRow]) -> UUID | None:
    """The contact of a call that says nothing new but that a device is its user's."""
    item = call.item
    user = rows.get((USER, item.user_id)) if item.user_id and item.contact_id is None else None
    if user is None or item.previous_id:
        return None
    if item.email:
        address = rows.get((EMAIL, item.email))
        if address is None or address.contact_id != user.contact_id or address.first_user != item.user_id:
            return None
        at = item.at if item.trusted else call.now
        if (item.trusted and address.first_user_doubted) or address.first_user_at is None or at < address.first_user_at:
            return None
    contact: UUID = user.contact_id
    return contact


def _claims(call: Call) -> list[Claim]:
    item = call.item
    at = item.at if item.trusted else call.now
    return claims_of(user=item.user_id or None, email=item.email or None, anonymous=item.anonymous_id, at=at)
