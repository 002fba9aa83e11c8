"""Segment's calls in the description of the API, from the structs that read them."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.errors import responses
from api.ingest.calls import COMMON, KINDS, Batch, Call
from api.ingest.paths import LONG

IDENTIFY: dict[str, Any] = {
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
ORDER = {
    "userId": "u-1001",
    "event": "Order Completed",
    "properties": {"order_id": "o-17", "total": 4900, "currency": "JPY"},
    "messageId": "order-o-17",
}
PAGE = {
    "anonymousId": "a-7f3c",
    "name": "Pricing",
    "properties": {"path": "/pricing", "url": "https://shop.example.com/pricing", "title": "Pricing"},
}
GROUP = {"userId": "u-1001", "groupId": "example-kk", "traits": {"name": "Example K.K.", "employees": 120}}
EXAMPLES: dict[str, dict[str, Any]] = {
    "identify": IDENTIFY,
    "track": {"order": {"summary": "Somebody ordered", "value": ORDER}},
    "page": {"pricing": {"summary": "A visitor looks at prices", "value": PAGE}},
    "screen": {
        "pricing": {"summary": "Somebody looks at a screen of an app", "value": {"userId": "u-1", "name": "Pricing"}}
    },
    "group": {"company": {"summary": "Somebody belongs to a company", "value": GROUP}},
    "alias": {"signed up": {"summary": "Two ids, one person", "value": {"previousId": "guest-77", "userId": "u-1001"}}},
    "batch": {
        "two": {
            "summary": "Two calls at once",
            "value": {"batch": [{"type": "track", **ORDER}, {"type": "page", **PAGE}]},
        }
    },
    "import": {
        "history": {
            "summary": "An order of last year",
            "value": {"batch": [{"type": "track", **ORDER, "timestamp": "2025-11-05T09:00:00+09:00"}]},
        }
    },
}
WORDS = {
    "identify": "Say who somebody is, and what is known about them.\n\nRecords the event `Identified`. Traits are "
    "added to the contact's attributes; nulls change nothing.",
    "track": "Say what somebody did. Journeys that start on it start; journeys that wait for it go on.",
    "page": "Say which page somebody looked at. Records the event `Page Viewed`.",
    "screen": "Say which screen of an app somebody looked at. Records the event `Screen Viewed`.",
    "group": "Say which account somebody belongs to, and what is known of it. Records the event `Group Identified`.",
    "alias": "Say that an earlier id is the same person as a user. Records the event `Aliased`.",
    "batch": "Send many calls at once; each names its `type`.\n\nWhat is good is stored, and `rejected` names the rest "
    "by its place. Where nothing is good the answer is 422.",
    "import": "Send history: as a batch, and each call says when it happened.\n\nIt is stored and counts in segments "
    "and reports. No journey starts, and nobody who waits is woken.",
}
TITLES = {"batch": "BatchOfCalls", "import": "BatchOfCalls"}


def routes() -> list[Route]:
    """The paths, for whoever lists the routes. What comes there the door has answered before."""
    return [Route(path, _behind_the_door, methods=["POST"], name=kind.kind) for path, kind in LONG.items()]


async def _behind_the_door(_: Request) -> Response:
    raise RuntimeError("the event door is missing: compose the application of api.ingest.door.Application")


def describe(schema: dict[str, Any]) -> None:
    """Add the calls to an OpenAPI description."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(_shapes())
    calls = {path: {"post": _operation(kind.kind)} for path, kind in LONG.items()}
    schema["paths"] = {**calls, **schema["paths"]}


def _operation(kind: str) -> dict[str, Any]:
    many = kind in TITLES
    shape = TITLES.get(kind, kind.capitalize())
    summary, _, _ = WORDS[kind].partition(".")
    return {
        "tags": ["tracking"],
        "summary": summary,
        "description": WORDS[kind],
        "operationId": kind,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref(shape), "examples": EXAMPLES[kind]}},
        },
        "responses": {
            "200": {
                "description": "It is stored, and whoever waits for it is told. A second copy of a messageId is "
                "accepted too, and stored once.",
                "content": {"application/json": {"schema": _ref("AnsweredBatch" if many else "Accepted")}},
            },
            **{str(status): said for status, said in _refusals().items()},
        },
        "security": [{"bearer": []}, {"basic": []}],
    }


def _refusals() -> dict[int | str, dict[str, Any]]:
    return responses(400, 401, 403, 408, 413, 415, 422, 429, 503)


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _shapes() -> dict[str, Any]:
    _, made = msgspec.json.schema_components([Call, Batch], ref_template="#/components/schemas/{name}")
    fields = made["Call"]["properties"]
    shapes: dict[str, Any] = {
        kind.capitalize(): {
            "title": kind.capitalize(),
            "type": "object",
            "properties": {name: fields[name] for name in (*what.fields, *COMMON)},
            "required": list(what.required),
        }
        for kind, what in KINDS.items()
    }
    kind = {"type": "string", "enum": list(KINDS)}
    typed = {**made["Call"], "title": "TypedCall", "properties": {**fields, "type": kind}, "required": ["type"]}
    calls = {"type": "array", "items": _ref("TypedCall"), "minItems": 1}
    named: dict[str, Any] = made["Batch"]["properties"]
    batch = {**made["Batch"], "title": "BatchOfCalls", "properties": {**named, "batch": calls}}
    return shapes | {"TypedCall": typed, "BatchOfCalls": batch, "Accepted": _ACCEPTED, "AnsweredBatch": _ANSWERED}


_TRUE: dict[str, Any] = {"const": True, "type": "boolean"}
_ACCEPTED: dict[str, Any] = {
    "title": "Accepted",
    "type": "object",
    "properties": {"success": _TRUE},
    "required": ["success"],
}
_REJECTED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "index": {"type": "integer", "description": "its place in the batch; the first is 0"},
        "messageId": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "errors": {"type": "array", "items": _ref("FieldProblem")},
    },
    "required": ["index", "messageId", "errors"],
}
_ANSWERED: dict[str, Any] = {
    "title": "AnsweredBatch",
    "type": "object",
    "properties": {
        "success": _TRUE,
        "accepted": {"type": "integer", "minimum": 1},
        "rejected": {"type": "array", "items": _REJECTED},
    },
    "required": ["success", "accepted", "rejected"],
}
