"""Takes what is personal out of a history, so that it can be kept in a repository.

What people sent with their events, what was looked up of them and what own activities answered becomes a placeholder of
the same JSON type, the same one wherever the value stands. Ids become numbered ones, times of day stay. What a
condition tests stays, or the history would take another way; so do yes and no.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from tabiji.deploys.commands import text_payload
from tabiji.domain.orders import SIGNAL

NAMELESS = frozenset({"identity", "binaryChecksum", "meteringMetadata", "requestId", "header", "memo", "workerVersion"})
"""Fields that say which machine it was, or that nobody needs."""
SAID = frozenset({"message", "stackTrace", "encodedAttributes", "source"})
"""What failures say: their type stays."""
NAMES = frozenset({"step", "event", "journey", "ending"})
"""Fields of our own shapes that hold names of the code."""
SHORTEST = 3
"""Texts shorter than this are not looked for inside other texts."""
OURS = {"Journey Ended": frozenset({"enrollment", "ending", "reason"}), "Approval Answered": frozenset({"approval"})}
"""Properties of our own events that name no person."""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?P<time>[T ]\d\d:\d\d.*)?")
Tested = Collection[tuple[str, str]]
"""Event and property of every test some condition makes."""


@dataclass
class Scrubber:
    """One history's values and what stands for them.

    `keep` names properties, attributes and activities whose values stay, because the author's code goes by them.
    """

    tested: Tested = ()
    keep: Collection[str] = ()
    placeholders: dict[str, str | float] = field(default_factory=dict[str, "str | float"])
    """By the value as JSON."""
    names: set[str] = field(default_factory=set[str])
    """What was replaced: properties, attributes, activities."""
    _ids: dict[str, str] = field(default_factory=dict[str, str])

    def scrubbed(self, history: dict[str, Any]) -> dict[str, Any]:
        """A history as `to_json_dict` gives it, without what is personal. The argument is left as it is."""
        events: list[dict[str, Any]] = json.loads(json.dumps(history["events"]))
        scheduled = {event["eventId"]: event for event in events}
        for event in events:
            self._replace_values(event, scheduled)
        return {"events": [self._node(event) for event in events]}

    # Where it came in, every value is replaced

    def _replace_values(self, event: dict[str, Any], scheduled: dict[str, dict[str, Any]]) -> None:
        for kind, about in event.items():
            match kind:
                case "workflowExecutionStartedEventAttributes":
                    self._replace(about.get("input"), None)
                case "workflowExecutionSignaledEventAttributes":
                    own = about["signalName"]
                    self._replace(about.get("input"), None if own == SIGNAL else own)
                case "activityTaskCompletedEventAttributes":
                    asked = scheduled[about["scheduledEventId"]]["activityTaskScheduledEventAttributes"]
                    self._replace(about.get("result"), _answers(asked))
                case "markerRecordedEventAttributes":
                    self._replace(about.get("details", {}).get("result"), _looked_up(event))
                case "workflowExecutionContinuedAsNewEventAttributes":
                    self._replace(about.get("input"), None)
                case _:
                    pass

    def _replace(self, payloads: dict[str, Any] | None, name: str | None) -> None:
        """Whole payloads of this name, or what in our own shapes is somebody's."""
        for payload in (payloads or {}).get("payloads", []):
            value = opened(payload)
            payload["data"] = closed(payload, self._known(value) if name is None else self._answer(name, value))["data"]

    def _answer(self, name: str, value: Any) -> Any:
        looked_up = is_dict(value) and set(value) == {"value"}
        return {"value": self._personal(name, value["value"])} if looked_up else self._personal(name, value)

    def _known(self, value: Any) -> Any:
        if is_list(value):
            return [self._known(each) for each in value]
        if not is_dict(value):
            return value
        shape = {name: self._known(each) for name, each in value.items()}
        if isinstance(shape.get("event"), str) and is_dict(shape.get("properties")):
            kept = OURS.get(shape["event"], frozenset())
            shape["properties"] = {
                name: each if name in kept or (shape["event"], name) in self.tested else self._personal(name, each)
                for name, each in shape["properties"].items()
            }
        elif set(shape) == {"step", "visit", "result"} and (name := _of_people(shape["step"])):
            shape["result"] = self._personal(name, shape["result"])
        elif set(shape) == {"changed", "value"}:
            shape["value"] = self._personal("attribute", shape["value"])
        return shape

    def _personal(self, name: str, value: Any) -> Any:
        if is_dict(value):
            return {inner: self._personal(f"{name}.{inner}", each) for inner, each in value.items()}
        if is_list(value):
            return [self._personal(name, each) for each in value]
        if {name, name.partition(".")[0]} & set(self.keep) or value in (None, "") or isinstance(value, bool):
            return value
        if isinstance(value, str) and _ID.fullmatch(value):
            return value
        self.names.add(name)
        return self.placeholders.setdefault(json.dumps(value), _placeholder(name, value, len(self.placeholders) + 1))

    # Wherever else it went, texts are

    def _node(self, node: Any) -> Any:
        if is_list(node):
            return [self._node(value) for value in node]
        if not is_dict(node):
            return self.without_ids(node) if isinstance(node, str) else node
        fields = node
        if isinstance(fields.get("data"), str) and "metadata" in fields:
            return self._payload(fields)
        left_out = NAMELESS | SAID if any(name.endswith("FailureInfo") for name in fields) else NAMELESS
        return {name: self._node(value) for name, value in fields.items() if name not in left_out}

    def _payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        encoding = base64.b64decode(payload["metadata"].get("encoding", "")).decode()
        if encoding.startswith("json/"):
            return closed(payload, self._value(opened(payload)))
        return payload if encoding == "binary/null" else {**payload, "data": ""}

    def _value(self, value: Any, name: str = "") -> Any:
        if is_dict(value):
            return {inner: self._value(each, inner) for inner, each in value.items()}
        if is_list(value):
            several = value
            # The path is for readers: nothing goes by it.
            return [] if name == "path" else [self._value(each) for each in several]
        if not isinstance(value, str):
            return value
        return self.without_ids(value if name in NAMES else self._text(value))

    def _text(self, text: str) -> str:
        for value, placeholder in self._texts():
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", placeholder.replace("\\", r"\\"), text)
        return text

    def _texts(self) -> list[tuple[str, str]]:
        """The longest first, so that no part of one is left over."""
        texts = [(str(json.loads(value)), each) for value, each in self.placeholders.items() if isinstance(each, str)]
        return sorted((pair for pair in texts if len(pair[0]) >= SHORTEST), key=lambda pair: -len(pair[0]))

    def without_ids(self, text: str) -> str:
        """Number the ids in a text, the same ones alike."""
        return _ID.sub(lambda found: self._ids.setdefault(found[0], _numbered(len(self._ids) + 1)), text)


def is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    """A JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """A JSON array."""
    return isinstance(value, list)


def opened(payload: dict[str, Any]) -> Any:
    """What a payload holds; None where that is not JSON."""
    if not base64.b64decode(payload.get("metadata", {}).get("encoding", "")).startswith(b"json/"):
        return None
    return json.loads(base64.b64decode(payload["data"]))


def closed(payload: dict[str, Any], value: Any) -> dict[str, Any]:
    """The payload with something else in it."""
    return {**payload, "data": base64.b64encode(text_payload(value)).decode()}


def tested_in(value: Any) -> Iterator[tuple[str, str]]:
    """Event and property of every test in conditions that stand in some JSON."""
    if is_dict(value):
        fields = value
        if isinstance(fields.get("event"), str) and "where" in fields:
            yield from ((fields["event"], path) for path in _paths(fields["where"]))
        for each in fields.values():
            yield from tested_in(each)
    elif is_list(value):
        for each in value:
            yield from tested_in(each)


def _paths(tests: Any) -> Iterator[str]:
    if is_dict(tests):
        fields = tests
        if isinstance(fields.get("path"), str):
            yield fields["path"]
            yield fields["path"].partition(".")[0]
        for each in fields.values():
            yield from _paths(each)
    elif is_list(tests):
        for each in tests:
            yield from _paths(each)


def _answers(asked: dict[str, Any]) -> str | None:
    """The name under which an own activity's answer is somebody's; None for ours, whose shapes are known."""
    told = [opened(payload) for payload in asked.get("input", {}).get("payloads", [])]
    order = told[0] if told and is_dict(told[0]) else {}
    if "what" in order:
        return str(order.get("name")) if order["what"] == "attribute" else None
    step = order.get("step")
    return str(asked["activityType"]["name"]) if step is None or "/do:" in str(step) else None


def _looked_up(marker: dict[str, Any]) -> str | None:
    """The attribute a local activity has looked up; its summary alone says which."""
    summary = opened(marker.get("userMetadata", {}).get("summary", {}))
    found = re.fullmatch(r"Look up attribute (.+)", summary) if isinstance(summary, str) else None
    return found[1] if found else None


def _of_people(step: object) -> str | None:
    """What of somebody a step's kept result is."""
    found = re.search(r"(?:^|/)(?:attribute|do):(.+)", step) if isinstance(step, str) else None
    return found[1] if found else None


def _placeholder(name: str, value: float | str, number: int) -> float | str:
    if not isinstance(value, str):
        return type(value)(number)
    if (date := _DATE.fullmatch(value)) is None:
        return f"{name} {number}"
    return "2000-01-01T00:00:00+00:00" if date["time"] else "2000-01-01"


def _numbered(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012x}"
