"""The script that web pages load, and the one thing it says that is not an event: by which mail a visitor came.

No key: the script is the same for everybody, and a visit's token is signed.
"""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from api.bodies import text_problem
from api.deps import PartsDep
from api.errors import ApiProblem, responses
from api.recording import record
from models.incoming import Incoming
from models.visits import take_visitor, visitor_digest

router = APIRouter(tags=["tracker"])

SCRIPT = (Path(__file__).parent / "assets" / "t.min.js").read_bytes()
COMPRESSED = gzip.compress(SCRIPT, 9, mtime=0)
ETAG = sha256(SCRIPT).hexdigest()[:16]
LONGEST_ID = 256
_HEADERS = {
    # An hour: whoever upgrades reaches every page the same day.
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "Vary": "Accept-Encoding",
    # Any page may load it, also one that checks its integrity or is isolated from other origins.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_SCRIPT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The script", "content": {"text/javascript": {"schema": {"type": "string"}}}},
    304: {"description": "It is the one you have"},
}
_VISIT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/plain": {
                "schema": {
                    "type": "string",
                    "description": "JSON: `token`, from the page's address, and `anonymousId`",
                },
                "examples": {"somebody": {"value": '{"token": "…", "anonymousId": "a-7f3c"}'}},
            }
        },
    }
}


class _Visit(msgspec.Struct):
    token: str
    anonymousId: str


@router.api_route("/t.js", methods=["GET"], operation_id="trackerScript", response_class=Response, responses=_SCRIPT)
@router.head("/t.js", include_in_schema=False)
async def script(request: Request) -> Response:
    """The script for web pages: `<script src="https://…/t.js" data-key="tbj_…" defer></script>`."""
    packed = "gzip" in request.headers.get("accept-encoding", "")
    etag = f'"{ETAG}{"-gz" if packed else ""}"'
    headers = {**_HEADERS, "ETag": etag}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(COMPRESSED if packed else SCRIPT, media_type="text/javascript", headers=headers)


@router.post(
    "/t/visit",
    operation_id="recognizeVisitor",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "Whatever became of it"}, **responses(400, 408, 413, 429, 503)},
    openapi_extra=_VISIT,
)
async def visit(request: Request, parts: PartsDep) -> Response:
    """Take a visitor for the person a mail went to, and record `Visitor Recognized`.

    Nobody is told whether the token was good. It is good for minutes after the click; each mail hands over one
    visitor at most, and none who is known.
    """
    said = _said(await request.body())
    message = parts.links.read_visit(said.token, now=parts.clock.wall())
    if message is not None:
        async with parts.database.write() as tx:
            sent = await take_visitor(tx, message, said.anonymousId)
        if sent is not None:
            incoming = Incoming(
                kind="mail",
                name="Visitor Recognized",
                message_id=f"visit/{message}/{visitor_digest(said.anonymousId)[:16]}",
                at=parts.clock.now(),
                properties={"template": sent.template, "message": sent.public_id},
                contact_id=sent.contact_id,
                anonymous_id=said.anonymousId,
            )
            await record(parts, [incoming])
    # The page may be anywhere, and cannot read an answer that has nothing in it.
    return Response(status_code=204, headers={"Access-Control-Allow-Origin": "*"})


def _said(body: bytes) -> _Visit:
    try:
        said = msgspec.json.decode(body, type=_Visit)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ApiProblem(400, "bad_json", "the body is not JSON with a token and an anonymousId") from None
    given = said.anonymousId
    if not given.strip() or len(given) > LONGEST_ID or text_problem(given) is not None:
        raise ApiProblem(400, "bad_id", f"anonymousId is a text of up to {LONGEST_ID} characters")
    return said
