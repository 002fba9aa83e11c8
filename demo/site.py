"""A web app, as tabiji sees one: it sends events, posts a form, and its visitors' browsers fetch what mails link to.

It repeats what was not answered, under the same messageId, as the SDKs of this world do.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import httpx2

from demo.tale import Deadline, DidNotHappen, Missing

AWAY = frozenset({502, 503, 504})


@dataclass(frozen=True)
class Said:
    """One entry of a contact's timeline."""

    kind: str
    at: datetime
    told: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.told[name]


@dataclass(frozen=True)
class Person:
    """A contact as the API shows it; the timeline oldest first."""

    id: str
    email: str | None
    score: int
    tags: frozenset[str]
    consents: Mapping[str, str]
    """Source by topic, of what is agreed to."""
    timeline: tuple[Said, ...]

    def entries(self, kind: str, **wanted: object) -> list[Said]:
        """Of one kind, with these values."""
        return [
            said
            for said in self.timeline
            if said.kind == kind and all(said.told.get(name) == value for name, value in wanted.items())
        ]


@dataclass(frozen=True)
class Travelling:
    """An enrollment as the API shows it."""

    id: str
    journey: str
    state: str
    reason: str | None
    waiting_for: tuple[str, ...]
    temporal_url: str

    def listens_for(self, event: str) -> bool:
        """Whether one of its steps, not its goal, waits for an event of this name."""
        return any(words.startswith(event) and not words.endswith("(goal)") for words in self.waiting_for)


BROWSER = {
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
    "Safari/537.36",
    "Accept-Language": "en",
}
"""A program that says it is one is taken for a filter that looks at links."""


class Site:
    """Talks to the API with the key of the web app, and without one where browsers do."""

    def __init__(self, api: str, key: str, deadline: Deadline) -> None:
        self._http = httpx2.AsyncClient(base_url=api, timeout=10)
        self._key = {"Authorization": f"Bearer {key}"}
        self._deadline = deadline
        self.repeated = 0
        """Requests that had to be sent again."""

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    async def send(self, call: str, body: Mapping[str, Any]) -> None:
        """`identify`, `track` or `page`, once for all the times it is sent."""
        whole = {"messageId": f"demo-{uuid.uuid4()}", **body}
        await self._request("POST", f"/v1/{call}", json=whole, headers=self._key)

    async def fill_in(self, form: str, filled: Mapping[str, str], query: Mapping[str, str]) -> None:
        """Get a form's page, fill its fields in, tick the consent box, and send it as a browser does."""
        page = await self._request("GET", f"/f/{form}", params=query)
        fields = _Fields.of(page.text)
        unknown = filled.keys() - fields.keys()
        if unknown:
            raise DidNotHappen(Missing(f"the form {form} has the fields {sorted(unknown)}", f"GET /f/{form}"))
        await self._request("POST", f"/f/{form}", params=query, data={**fields, **filled})

    async def fetch(self, url: str) -> str | None:
        """What a browser does with a link of ours. Returns where it is sent on to, and does not go there."""
        answer = await self._request("GET", url, headers=BROWSER)
        return answer.headers.get("location")

    async def person(self, anonymous_id: str) -> Person | None:
        """Who is behind an anonymous id, with their whole timeline."""
        timeline: list[Mapping[str, Any]] = []
        query = {"anonymous_id": anonymous_id, "limit": "200"}
        while True:
            answer = await self._request("GET", "/v1/contacts", params=query, headers=self._key, allowed=(404,))
            if answer.status_code == 404:
                return None
            shown = answer.json()
            timeline += shown["timeline"]
            if not shown["next"]:
                return _person(shown, timeline)
            query["before"] = shown["next"]

    async def travels(self, contact: str) -> list[Travelling]:
        """Every enrollment of a contact, the first one first."""
        answer = await self._request("GET", "/v1/enrollments", params={"contact": contact}, headers=self._key)
        return [
            Travelling(
                id=one["id"],
                journey=one["journey"],
                state=one["state"],
                reason=one["reason"],
                waiting_for=tuple(one["waiting_for"]),
                temporal_url=one["temporal_url"],
            )
            for one in reversed(answer.json()["enrollments"])
        ]

    async def _request(self, method: str, url: str, *, allowed: tuple[int, ...] = (), **rest: Any) -> httpx2.Response:
        pause = 0.1
        while True:
            try:
                answer = await self._http.request(method, url, **rest)
                if answer.status_code not in AWAY:
                    break
                reason = f"HTTP {answer.status_code}"
            except httpx2.TransportError as error:
                reason = type(error).__name__
            if self._deadline.left == 0:
                raise DidNotHappen(Missing(f"the API answers {method} {_path(url)}: {reason}", "logs/api.log"))
            self.repeated += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)
        if answer.is_success or answer.is_redirect or answer.status_code in allowed:
            return answer
        missing = f"{method} {_path(url)} is accepted (it was answered {answer.status_code}: {answer.text[:300]})"
        raise DidNotHappen(Missing(missing, "logs/api.log"))


class _Fields(HTMLParser):
    """What a browser would send of a form that nobody has touched, but for a tick in every box."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}

    @classmethod
    def of(cls, html: str) -> dict[str, str]:
        parser = cls()
        parser.feed(html)
        return parser.values

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if tag == "input" and name:
            self.values[name] = given.get("value") or ("on" if given.get("type") == "checkbox" else "")


def _person(shown: Mapping[str, Any], timeline: list[Mapping[str, Any]]) -> Person:
    told = [Said(one["kind"], datetime.fromisoformat(one["at"]), one) for one in reversed(timeline)]
    return Person(
        id=shown["id"],
        email=shown["email"],
        score=shown["score"],
        tags=frozenset(shown["tags"]),
        consents={one["topic"]: one["source"] for one in shown["consents"] if one["given"]},
        timeline=tuple(told),
    )


def _path(url: str) -> str:
    """Without what makes a link personal."""
    parts = httpx2.URL(url).path.split("/")
    return "/".join([*parts[:2], "…"]) if parts[1:2] and parts[1] in "ocu" else "/".join(parts)
