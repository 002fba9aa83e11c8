"""Where web apps send what happens. The shape is Segment's, so that existing clients just work."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body
from fastapi.openapi.models import Example
from pydantic import BaseModel

from api.bodies import StrictRoute
from api.deps import PartsDep
from api.errors import responses
from api.inputs import Identify, Page, Track, identified, tracked, viewed
from api.keys import Action, IngestKey, require
from api.parts import Parts
from api.recording import record
from models.incoming import Incoming
from models.keys import Key
from tabiji.domain.facts import NAMES as FACTS

router = APIRouter(
    prefix="/v1",
    tags=["tracking"],
    route_class=StrictRoute,
    responses=responses(400, 401, 403, 408, 413, 415, 422, 503),
)

IDENTIFY: dict[str, Example] = {
    "form filled in": {
        "summary": "A visitor says who they are",
        "value": {
            "userId": "u-1001",
            "anonymousId": "a-7f3c",
            "traits": {"email": "hanako@example.com", "first_name": "花子", "company": "Example K.K."},
            "context": {"timezone": "Asia/Tokyo", "locale": "ja-JP"},
        },
    },
    "test contact": {
        "summary": "A contact for trials, whose days pass in a blink (admin key)",
        "value": {"userId": "trial-1", "context": {"tabiji": {"tempo": 86400}}},
    },
}
TRACK: dict[str, Example] = {
    "order": {
        "summary": "Somebody ordered",
        "value": {
            "userId": "u-1001",
            "event": "Order Completed",
            "properties": {"order_id": "o-17", "total": 4900, "currency": "JPY"},
            "messageId": "order-o-17",
        },
    }
}
PAGE: dict[str, Example] = {
    "pricing": {
        "summary": "A visitor looks at prices",
        "value": {
            "anonymousId": "a-7f3c",
            "name": "Pricing",
            "properties": {"path": "/pricing", "url": "https://shop.example.com/pricing", "title": "Pricing"},
        },
    }
}


class Accepted(BaseModel):
    """It is stored, and whoever waits for it is told. A second copy of a messageId is accepted too, and stored once."""

    success: Literal[True] = True


@router.post("/identify", operation_id="identify")
async def identify(
    call: Annotated[Identify, Body(openapi_examples=IDENTIFY)],
    parts: PartsDep,
    key: IngestKey,
) -> Accepted:
    """Say who somebody is, and what is known about them.

    Records the event `Identified`. Traits are added to the contact's attributes; nulls change nothing.
    """
    return await _record(parts, key, identified(call, parts.clock))


@router.post("/track", operation_id="track")
async def track(
    call: Annotated[Track, Body(openapi_examples=TRACK)],
    parts: PartsDep,
    key: IngestKey,
) -> Accepted:
    """Say what somebody did. Journeys that start on it start; journeys that wait for it go on."""
    return await _record(parts, key, tracked(call, parts.clock))


@router.post("/page", operation_id="page")
async def page(
    call: Annotated[Page, Body(openapi_examples=PAGE)],
    parts: PartsDep,
    key: IngestKey,
) -> Accepted:
    """Say which page somebody looked at. Records the event `Page Viewed`."""
    return await _record(parts, key, viewed(call, parts.clock))


async def _record(parts: Parts, key: Key, incoming: Incoming) -> Accepted:
    if incoming.name in FACTS:
        # Who may send such an event may start whatever starts on a tag, a score or an answer.
        require(key, Action.ADMIN, f"the event {incoming.name!r}, which tabiji records itself,")
    if incoming.tempo is not None:
        require(key, Action.ADMIN, "context.tabiji.tempo")
    await record(parts, [incoming])
    return Accepted()
