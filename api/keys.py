"""Who may come in. Closed by default: whatever is not on the keyless list wants a key, unknown paths too."""

from __future__ import annotations

import base64
import binascii
import re
import time
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPBasic, HTTPBearer
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.deps import parts_of_app
from api.errors import ApiProblem, problem_response, translate
from models.database import Database
from models.keys import Key, digest, find_key
from tabiji.errors import TabijiError

KEYLESS = re.compile(r"/(healthz|readyz|o/[^/]+|c/[^/]+|u/[^/]+|f/[^/]+|a/[^/]+)")
REMEMBERED = 3.0
"""Seconds a key is known without asking the database: so long a revoked key may still get in."""
MOST_REMEMBERED = 1000

bearer = HTTPBearer(scheme_name="bearer", description="`Authorization: Bearer KEY`", auto_error=False)
basic = HTTPBasic(scheme_name="basic", description="The key as user name, no password", auto_error=False)


class Keys:
    """Finds keys, and remembers those it found for a moment."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Key]] = {}

    async def find(self, database: Database, key: str) -> Key | None:
        """The key in force behind what a caller shows.

        Raises:
            DatabaseDown: Nobody can say whether it is good.
        """
        hashed, now = digest(key), time.monotonic()
        until, known = self._known.get(hashed, (0.0, None))
        if known is not None and now < until:
            return known
        found = await find_key(database, key)
        if found is None:
            self._known.pop(hashed, None)
        else:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[hashed] = (now + REMEMBERED, found)
        return found


class KeyGate:
    """Lets nobody through without a key, before anything of the request is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._keys = Keys()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http" and not KEYLESS.fullmatch(scope["path"]):
            request = Request(scope)
            try:
                request.state.key = await self._admit(request)
            except (ApiProblem, TabijiError) as error:
                await problem_response(translate(error))(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _admit(self, request: Request) -> Key:
        shown = shown_key(request.headers.getlist("authorization"))
        found = await self._keys.find(parts_of_app(request.app).database, shown) if shown else None
        if found is None:
            words = "that key is not known, or was revoked" if shown else "a key is needed: Authorization: Bearer KEY"
            raise ApiProblem(401, "unauthorized", words, headers={"WWW-Authenticate": 'Bearer realm="tabiji"'})
        return found


def shown_key(headers: list[str]) -> str | None:
    """The key in an Authorization header: Bearer, or Basic with the key as user name."""
    if len(headers) != 1:
        return None
    scheme, _, rest = headers[0].partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode("ascii").partition(":")[0] or None
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


def _any_key(
    request: Request, _bearer: Annotated[object, Security(bearer)], _basic: Annotated[object, Security(basic)]
) -> Key:
    key: Key = request.state.key
    return key


def _full_key(key: Annotated[Key, Depends(_any_key)]) -> Key:
    require_full(key, "this")
    return key


def require_full(key: Key, what: str) -> None:
    """Refuse a key that may only send events.

    Raises:
        ApiProblem: 403; names the scope that is wanted.
    """
    if key.scope != "full":
        raise ApiProblem(403, "forbidden", f"{what} needs a key of scope 'full'; this one has scope {key.scope!r}")


KeyDep = Annotated[Key, Depends(_any_key)]
"""The key that was shown, for what is to be kept with its name."""
IngestKey = Annotated[Key, Depends(_any_key)]
"""Any key: it may send events."""
FullKey = Depends(_full_key)
"""A key that may also read and steer."""
By = Annotated[Key, FullKey]
"""The same, for what is kept with the name of who did it."""
