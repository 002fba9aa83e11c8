"""Whatever bytes come: they are calls that can be kept, or a refusal that names a field. Never anything else."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from api.bodies import LARGEST, problems_of
from api.errors import ApiProblem
from api.ingest.calls import COMMON, KINDS, Call
from api.ingest.checks import Problems
from api.ingest.events import Arrival, incoming
from api.ingest.reading import Unreadable, inflate, read_batch, read_call

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)
ARRIVAL = Arrival(now=NOW, wall=NOW, public=False, trusts=lambda _user, _hash: False)
NAMES = [*COMMON, *{field for kind in KINDS.values() for field in kind.fields}, "type"]
nasty = st.sampled_from(
    ["\x00", "\ud800", "a\x00b", "", " ", "x" * 257, "Asia/Tokyo", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"]
)
numbers = st.sampled_from([0, -1, LARGEST, LARGEST + 1, -(2**63), 10**30, 1.5, float("nan"), float("inf")])
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | nasty | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            nasty | st.sampled_from(["email", "timezone", "tabiji", "tempo", "campaign"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
bodies = st.dictionaries(st.sampled_from(NAMES), values, max_size=6) | values


def sent(document: Any) -> bytes:
    return json.dumps(document).encode()


def keepable(call: Call) -> None:
    """What was read can be stored, or is refused by name."""
    for kind in KINDS:
        problems = Problems()
        found = incoming(kind, call, ARRIVAL, problems)
        assert (found is None) == bool(problems.found)
        if found is not None:
            assert not list(problems_of({**found.properties, "c": found.context, "t": found.traits}))
            assert found.at <= NOW
            assert len(found.message_id) <= 256


T = TypeVar("T")


def tried(read: Callable[[bytes], T], body: bytes) -> T | ApiProblem:
    try:
        return read(body)
    except ApiProblem as error:
        return error


@given(bodies)
def test_a_call_can_be_kept_or_is_refused_by_name(document: Any) -> None:
    call = tried(read_call, sent(document))
    if isinstance(call, ApiProblem):
        assert call.status_code == 422
        assert call.errors
    else:
        keepable(call)


@given(st.lists(bodies, max_size=4), values)
def test_items_of_a_batch_have_fates_of_their_own(documents: list[Any], context: Any) -> None:
    read = tried(read_batch, sent({"batch": documents, "context": context}))
    if isinstance(read, ApiProblem):
        assert read.status_code == 422
        assert all(problem.field.startswith("context") for problem in read.errors)
        return
    for item, document in zip(read[1], documents, strict=True):
        alone = tried(read_call, sent(document))
        assert isinstance(item, Unreadable) == isinstance(alone, ApiProblem)
        if not isinstance(item, Unreadable):
            keepable(item)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    for read in (read_call, read_batch):
        found = tried(read, body)
        assert not isinstance(found, ApiProblem) or found.status_code in (400, 422)


@given(st.binary(max_size=60), st.sampled_from(["gzip", "deflate"]), st.integers(0, 3000))
def test_no_compressed_bytes_break_it_or_unpack_to_more_than_is_allowed(body: bytes, how: str, size: int) -> None:
    for packed in (body, zlib.compress(b"x" * size), zlib.compress(b"x" * size, wbits=-15)):
        plain = tried(lambda given: inflate(given, how, 1000), packed)
        assert plain.status_code in (400, 413) if isinstance(plain, ApiProblem) else len(plain) <= 1000
