"""What the desk's API knows of a mail in the inbox: the decision about it, and what became of it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import httpx2

from tabiji.desk.look import key_of
from tabiji.desk.ready import reach
from tabiji.errors import ConfigurationError
from tabiji.settings import Settings

PATIENCE = 2.0
"""Seconds a page waits for the API at most."""
_OURS = re.compile(r"<([0-9a-f]{32})@")


class Decisions:
    """Asks the API of the same desk. Where it does not answer, pages say so and show the mail all the same."""

    def __init__(self, settings: Settings, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        """`transport`: another way to the API than the network."""
        self._settings = settings
        self._client = httpx2.AsyncClient(
            base_url=f"http://{reach(settings.api_host)}:{settings.api_port}",
            timeout=PATIENCE,
            trust_env=False,
            transport=transport,
        )

    async def of(self, message_id: str) -> dict[str, Any] | None:
        """About the mail with this Message-ID; None: it is none of ours, or the API does not answer."""
        found = _OURS.match(message_id)
        return _readable(await self._ask(f"/v1/messages/{found[1]}")) if found else None

    async def unsent(self, limit: int = 20) -> list[dict[str, Any]]:
        """The latest messages that were refused, or wait, and why."""
        found: list[dict[str, Any]] = []
        for state in ("refused", "deferred", "failed", "retry"):
            page = await self._ask("/v1/messages", state=state, limit=str(limit))
            found += [_readable(one) for one in page["messages"]] if page else []
        return sorted(found, key=lambda one: one["at"], reverse=True)[:limit]

    async def close(self) -> None:
        """Give the connection back."""
        await self._client.aclose()

    async def _ask(self, path: str, **parameters: str) -> dict[str, Any] | None:
        try:
            # Read each time: the desk makes the key when it starts for the first time.
            headers = {"Authorization": f"Bearer {key_of(self._settings)}"}
            answer = await self._client.get(path, params=parameters, headers=headers)
            return answer.json() if answer.status_code == 200 else None
        except (ConfigurationError, httpx2.HTTPError, ValueError):
            return None


def _readable(mail: dict[str, Any] | None) -> Any:
    """With its instants as such."""
    if mail is None:
        return None
    said = {name: _instant(value) if name.endswith(("at", "_before")) else value for name, value in mail.items()}
    return said | {"events": [event | {"at": _instant(event["at"])} for event in mail.get("events", [])]}


def _instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
