"""Who may come in, and what for. Closed by default: whatever is not on the keyless list wants a key, unknown paths too.

    dependencies=[Guarded]      of a router: reading wants scope read, everything else admin
    dependencies=[WriteKey]     of what comes in: write, or admin
    By, KeyDep                  the same as Guarded, for what is kept with the key's name

The event door reads a key from the body too, and so asks by itself:

    key = await key_of(parts, scope, headers, write_key)       401, 403 or 429 where it may not come in
    may(key, Action.ALIAS)                                     bool, for each item
    is_trusted(parts, key, user_id, user_hash)                 bool, for each item
    await parts.limits.admit(key, len(items), address)         429
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPBasic, HTTPBearer
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.deps import parts_of_app
from api.errors import ApiProblem, problem_response, translate
from api.parts import Parts
from models import key as kinds
from models.keys import Key, looks_like_a_key
from tabiji.domain.facts import NAMES as FACTS
from tabiji.domain.facts import NOTED
from tabiji.domain.user_hash import is_users_hash
from tabiji.errors import TabijiError

KEYLESS = re.compile(
    r"/(healthz|readyz|t\.js|t/visit|o/[^/]+|c/[^/]+|u/[^/]+|confirm/[^/]+(/again)?|preferences/[^/]+(/link)?"
    r"|f/[^/]+(/embed|/file/[^/]+)?|p/[^/]+|popup\.js|a/[^/]+|debug(\.js)?)"
)
COUNTED = re.compile(r"/(t/visit|f/|p/|a/)(?!.*\.js$)")
"""Of these, what meets a limit by address. Links in mails do not: a mailbox provider opens many from one address."""
EVENT_DOOR = re.compile(
    r"/v1/(identify|track|page|screen|group|alias|batch|import|i|t|p|s|g|a|b|m|projects/[^/]+/settings|hooks/[^/]+|carriers/[^/]+)"
)
"""Where a key may come in the body, as Segment's browser client sends it, or a signature is the proof: the door itself
asks for one."""

bearer = HTTPBearer(scheme_name="bearer", description="`Authorization: Bearer KEY`", auto_error=False)
basic = HTTPBasic(scheme_name="basic", description="The key as user name, no password", auto_error=False)


class Action(StrEnum):
    """What somebody may want to do."""

    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"
    IDENTIFY = "identify"
    GROUP = "group"
    ALIAS = "alias"
    IMPORT = "import"
    WRITE = "write"
    """Whatever else comes in: forms over the API, webhooks, files."""
    READ = "read"
    ADMIN = "admin"
    """Change, steer, speak as tabiji itself, make test contacts."""


_OF_BROWSER = frozenset({Action.TRACK, Action.PAGE, Action.SCREEN, Action.IDENTIFY})
ALLOWED: dict[kinds.Scope, frozenset[Action]] = {
    "browser": _OF_BROWSER,
    "write": _OF_BROWSER | {Action.GROUP, Action.ALIAS, Action.IMPORT, Action.WRITE},
    "read": frozenset({Action.READ}),
    "admin": frozenset(Action),
}


def may(key: Key, action: Action) -> bool:
    """Whether a key may do that."""
    return action in ALLOWED[key.scope]


def require(key: Key, action: Action, what: str) -> None:
    """Refuse a key that may not do that.

    Raises:
        ApiProblem: 403; names the scope that is wanted.
    """
    if not may(key, action):
        wanted = next(scope for scope in kinds.SCOPES if action in ALLOWED[scope])
        also = "" if wanted == "admin" else " or 'admin'"
        detail = f"{what} needs a key of scope {wanted!r}{also}; this one has scope {key.scope!r}"
        raise ApiProblem(403, "forbidden", detail)


def action_for_event(name: str) -> Action:
    """What one must be allowed in order to send an event: those that tabiji records itself start what starts on a
    tag, a score or an answer, and those it notes of mails and consents what starts on a click.
    """
    if name in FACTS:
        return Action.ADMIN
    return Action.WRITE if name in NOTED else Action.TRACK


async def key_of(parts: Parts, scope: Scope, headers: Headers, write_key: str | None = None) -> Key:
    """The key somebody shows: in the Authorization header, or as `writeKey` in the body.

    Args:
        parts: Of this application.
        scope: Of the request: says where it comes from.
        headers: Of the same.
        write_key: From the body, where it has been read. A header goes before it.

    Raises:
        ApiProblem: 401: there is none, or none that is in force. 403: the page it comes from is not one of its
            origins. 429: too many keys have been tried from there.
        DatabaseDown: Nobody can say whether it is good.
    """
    authorization = headers.getlist("authorization")
    shown = shown_key(authorization) if authorization else write_key
    found = await _found(parts, scope, shown) if shown and looks_like_a_key(shown) else None
    if found is None:
        words = "that key is not known, or was revoked" if shown else "a key is needed: Authorization: Bearer KEY"
        raise ApiProblem(401, "unauthorized", words, headers={"WWW-Authenticate": 'Bearer realm="tabiji"'})
    if found.origins and (headers.get("origin") or "").lower() not in found.origins:
        raise ApiProblem(403, "forbidden", f"the key {found.name!r} may not be used from this page's origin")
    return found


async def _found(parts: Parts, scope: Scope, shown: str) -> Key | None:
    if (known := parts.keys.remembered(shown)) is not None:
        return known
    address = parts.limits.address(scope)
    if parts.keys.has_met(shown):
        return await parts.keys.find(parts.database, shown)
    await parts.limits.admit_stranger(address)
    found = await parts.keys.find(parts.database, shown)
    if found is not None:
        parts.limits.welcome(address)
    return found


def is_trusted(parts: Parts, key: Key, user_id: str | None, user_hash: object) -> bool:
    """Whether what is sent with a key counts as said by the site itself: who is who, and at which address.

    Args:
        parts: Of this application.
        key: Anything but a browser key is trusted by itself.
        user_id: Of the item.
        user_hash: `context.tabiji.userHash` of the item: the site's server has signed this user id.
    """
    if key.scope != "browser":
        return True
    if not user_id or not isinstance(user_hash, str):
        return False
    return is_users_hash(parts.keys.user_secret(parts.settings, key.name), user_id, user_hash)


class KeyGate:
    """Lets nobody through without a key, before anything of the request is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http" and not EVENT_DOOR.fullmatch(scope["path"]):
            try:
                await self._admit(scope)
            except (ApiProblem, TabijiError) as error:
                await problem_response(translate(error))(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        parts = parts_of_app(scope["app"])
        if not KEYLESS.fullmatch(scope["path"]):
            Request(scope).state.key = await key_of(parts, scope, Headers(scope=scope))
        elif COUNTED.match(scope["path"]):
            await parts.limits.admit_page(parts.limits.address(scope))


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


async def _any_key(
    request: Request, _bearer: Annotated[object, Security(bearer)], _basic: Annotated[object, Security(basic)]
) -> Key:
    if (key := getattr(request.state, "key", None)) is None:
        key = await key_of(parts_of_app(request.app), request.scope, request.headers)
    found: Key = key
    return found


def _allowed(action: Action) -> Callable[[Key], Key]:
    def check(key: Annotated[Key, Depends(_any_key)]) -> Key:
        require(key, action, "this")
        return key

    return check


def _by_method(request: Request, key: Annotated[Key, Depends(_any_key)]) -> Key:
    require(key, Action.READ if request.method in ("GET", "HEAD") else Action.ADMIN, "this")
    return key


KeyDep = Annotated[Key, Depends(_any_key)]
"""The key that was shown, for what is to be kept with its name."""
Guarded = Depends(_by_method)
"""Reading wants scope read, everything else admin."""
ReadKey = Depends(_allowed(Action.READ))
"""For what reads, and takes a body to do so."""
WriteKey = Depends(_allowed(Action.WRITE))
"""For what comes in."""
By = Annotated[Key, Guarded]
"""As Guarded, for what is kept with the name of who did it."""

IngestKey = Annotated[Key, Depends(_allowed(Action.TRACK))]
