"""Who opens a form, and what need not be asked of them. Which questions is all that leaves here, never an answer."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.forms.given import Given
from api.forms.tokens import Tokens
from api.parts import Parts
from models.form_answers import answered, known_of
from models.reads.messages import find_message
from tabiji.channels.email.links import VISIT
from tabiji.errors import Unavailable

EVERYTHING = "whole"
"""In a page's address: ask everything, whoever this seems to be."""


@dataclass(frozen=True)
class Visitor:
    """`contact_id` is set for who came by a mail of ours; `known` are questions whose answer we have."""

    known: frozenset[str] = frozenset()
    contact_id: UUID | None = None


async def visitor_of(parts: Parts, tokens: Tokens, given: Given) -> Visitor:
    """Recognise a visitor: by the link in a mail, signed and just clicked, or by what this browser has answered.

    An anonymous id names nobody's contact here: whoever typed another's address into a form would see which of the
    other's answers we have. So it stands for what was answered under it, and the e-mail address is always asked.
    """
    if given.last(EVERYTHING):
        return Visitor()
    now = parts.clock.wall()
    message = parts.links.read_visit(given.last(VISIT), now=now) if given.last(VISIT) else None
    contact_id = tokens.read_who(given.last("who"), now=now)
    anonymous_id = given.along.get("anonymous_id")
    if message is None and contact_id is None and anonymous_id is None:
        return Visitor()
    try:
        async with parts.database.read() as tx:
            if message is not None:
                sent = await find_message(tx, message)
                contact_id = sent.contact_id if sent is not None else contact_id
            return await _known(tx, contact_id, anonymous_id)
    except Unavailable:
        return Visitor()


async def _known(tx: AsyncConnection, contact_id: UUID | None, anonymous_id: str | None) -> Visitor:
    known = await known_of(tx, contact_id) if contact_id is not None else None
    if known is not None:
        return Visitor(known, contact_id)
    before = await answered(tx, anonymous_id) if anonymous_id is not None else frozenset[str]()
    return Visitor(before - {"email"})
