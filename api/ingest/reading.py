"""Bytes into calls. What msgspec takes at once is checked for what no database keeps; whatever is odd is read again,
slowly, by the rules of `api.bodies`, which name each field.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn, cast

import msgspec
from starlette.types import Receive

from api.bodies import DEEPEST, LARGEST, load, parse, problems_of
from api.errors import ApiProblem, FieldProblem, InvalidInput, invalid
from api.guard import PATIENCE
from api.ingest.calls import LARGEST_EVENT, Batch, Call

_CALL = msgspec.json.Decoder(Call)
_BATCH = msgspec.json.Decoder(Batch)
_NUL = b"\\u0000"
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_WORDS = {"str": "text", "object": "an object", "array": "a list"}
_WRONG_TYPE = re.compile(r"Expected `(\w+)[^`]*`")
_PLACE = re.compile(r" - at `\$\.([^`]+)`")
_MISSING = re.compile(r"missing required field `(\w+)`")
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
CLOSE = {"Connection": "close"}


class Unreadable(NamedTuple):
    """An item of a batch that is no call, and why."""

    problems: list[FieldProblem]
    message_id: str | None = None


Item = Call | Unreadable


async def body_of(receive: Receive, announced: str, most: int) -> bytes:
    """A request's whole body.

    Raises:
        ApiProblem: 413, 408, or 400 where the client has gone.
    """
    if announced.isdecimal() and len(announced) < 20 and int(announced) > most:
        raise too_large(most)
    try:
        async with asyncio.timeout(PATIENCE):
            whole = bytearray()
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise ApiProblem(400, "bad_request", "the client went away before its body was whole")
                whole += message.get("body", b"")
                if len(whole) > most:
                    raise too_large(most)
                if not message.get("more_body", False):
                    return bytes(whole)
    except TimeoutError:
        words = f"the body did not arrive in {PATIENCE:.0f} seconds"
        raise ApiProblem(408, "too_slow", words, headers=CLOSE) from None


def too_large(most: int) -> ApiProblem:
    """The refusal of a body."""
    return ApiProblem(413, "too_large", f"the body may have at most {most} bytes", headers=CLOSE)


def inflate(body: bytes, encoding: str, most: int) -> bytes:
    """A body without its compression. Never unpacks more than `most` bytes.

    Raises:
        ApiProblem: 415 for a compression we do not know, 400 for what is not compressed so, 413 for what is too large.
    """
    match encoding:
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _unpacked(body, _ZLIB_OR_GZIP, most)
        case "deflate":
            try:
                return _unpacked(body, _ZLIB_OR_GZIP, most)
            except ApiProblem as error:
                if error.status_code == 413:
                    raise
                return _unpacked(body, _RAW, most)  # as some clients understood the word
        case _:
            raise ApiProblem(415, "unsupported_media_type", "send the body as it is, or with gzip or deflate")


def _unpacked(body: bytes, form: int, most: int) -> bytes:
    unpacking = zlib.decompressobj(form)
    try:
        plain = unpacking.decompress(body, most + 1)
    except zlib.error:
        raise ApiProblem(400, "bad_encoding", "the body is not compressed as Content-Encoding says") from None
    if len(plain) > most:
        raise too_large(most)
    if not unpacking.eof:
        raise ApiProblem(400, "bad_encoding", "the compressed body ends too early")
    return plain


def read_call(body: bytes) -> Call:
    """One call.

    Raises:
        ApiProblem: It is not JSON, or something in it cannot be kept.
    """
    try:
        call = _CALL.decode(body)
    except _UNREADABLE as error:
        _explain(body, error)
    if _NUL in body or not _plain(call):
        parse(body)
    return call


def read_batch(body: bytes) -> tuple[Batch, list[Item]]:
    """Many calls, of which some may be none.

    Raises:
        ApiProblem: The body is not a batch at all.
    """
    try:
        batch = _BATCH.decode(body)
    except _UNREADABLE as error:
        if (odd := _odd_batch(body)) is not None:
            return odd
        _explain(body, error)
    if batch.context is not None and (_NUL in body or not _plain_within(batch.context, DEEPEST - 2)):
        check = list(problems_of({"context": batch.context}))
        if check:
            raise InvalidInput(*check[:20])
    return batch, [_item(bytes(raw)) for raw in batch.batch]


def _item(raw: bytes) -> Item:
    if len(raw) > LARGEST_EVENT:
        words = f"has {len(raw)} bytes; an event may have {LARGEST_EVENT}"
        return Unreadable([FieldProblem(field="body", problem=words)], _message_id(raw))
    try:
        return read_call(raw)
    except ApiProblem as error:
        return Unreadable(error.errors or [FieldProblem(field="body", problem=str(error.detail))], _message_id(raw))


def _odd_batch(body: bytes) -> tuple[Batch, list[Item]] | None:
    """A batch that strict JSON cannot read because one of its items has what no database keeps.

    Raises:
        ApiProblem: What is wrong is not in an item.
    """
    document: Any = load(body)
    if not isinstance(document, dict) or not isinstance(batch := cast("dict[str, Any]", document).get("batch"), list):
        return None
    shell: dict[str, Any] = {**document, "batch": []}
    if wrong := list(problems_of(shell)):
        raise InvalidInput(*wrong[:20])
    empty = msgspec.json.encode(shell)
    try:
        found = _BATCH.decode(empty)
    except _UNREADABLE as error:
        _explain(empty, error)
    items: list[Item] = []
    for one in cast("Iterable[Any]", batch):
        problems = list(problems_of(one))
        items.append(Unreadable(problems[:20]) if problems else _item(msgspec.json.encode(one)))
    return found, items


class _Named(msgspec.Struct):
    messageId: str | None = None


_NAMED = msgspec.json.Decoder(_Named)


def _message_id(raw: bytes) -> str | None:
    try:
        found = _NAMED.decode(raw).messageId
    except _UNREADABLE:
        return None
    return found if found and len(found) <= 256 and _NUL not in raw else None


def _plain(call: Call) -> bool:
    """Whether all its values are within what is kept. What is not sure is not plain."""
    return (
        (call.properties is None or _plain_within(call.properties, DEEPEST - 2))
        and (call.traits is None or _plain_within(call.traits, DEEPEST - 2))
        and (call.context is None or _plain_within(call.context, DEEPEST - 2))
    )


def _plain_within(value: dict[str, Any] | list[Any], deeper: int) -> bool:
    values: Iterable[Any] = value.values() if isinstance(value, dict) else value
    for inner in values:
        kind = cast("type[object]", type(inner))
        if kind is str:
            continue
        if kind is int:
            if not -LARGEST <= inner <= LARGEST:
                return False
        elif (kind is dict or kind is list) and (deeper == 0 or not _plain_within(inner, deeper - 1)):
            return False
    return True


def _explain(body: bytes, error: Exception) -> NoReturn:
    """Say what is wrong with a body that could not be read."""
    if not body:
        raise invalid("body", "is empty; send a JSON object")
    parse(body)
    words = str(error)
    place = _PLACE.search(words)
    field = place[1].replace("[...]", "") if place else "body"
    if (missing := _MISSING.search(words)) is not None:
        raise invalid(missing[1], "is missing")
    wrong = _WRONG_TYPE.search(words)
    raise invalid(field, f"must be {_WORDS.get(wrong[1], wrong[1])}" if wrong else "cannot be read")
