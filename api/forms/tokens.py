"""What a form's page carries, signed: when it was opened and what it asked, who came by a mail, who may have a file.

A token is good for its own kind and form alone, and for its time.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

OPEN_FOR = timedelta(days=1)
"""So long a form may stay open in a tab."""
LONGEST = 4000


@dataclass(frozen=True)
class Opened:
    """A page with a form on it: what it asked, and since when."""

    asked: tuple[str, ...]
    at: datetime


class Tokens:
    """Makes and reads them."""

    def __init__(self, secret: str) -> None:
        self._opened, self._who, self._file = (_signer(secret, kind) for kind in ("opened", "who", "file"))

    def opened(self, form: str, asked: tuple[str, ...], *, at: datetime) -> str:
        """A page that asks these; no two are the same."""
        return _text(self._opened.dumps([form, secrets.token_urlsafe(9), _milliseconds(at), ",".join(asked)]))

    def read_opened(self, form: str, token: str, *, now: datetime) -> Opened | None:
        """None: it is not of us, not of this form, or was opened too long ago."""
        match _loaded(self._opened, token):
            case [str(name), str(), int(at), str(asked)] if name == form and _good(at, now, OPEN_FOR):
                return Opened(tuple(asked.split(",")), datetime.fromtimestamp(at / 1000, UTC))
            case _:
                return None

    def who(self, contact_id: UUID, *, at: datetime) -> str:
        """Somebody who came by a link in a mail of ours."""
        return _text(self._who.dumps([contact_id.hex, _milliseconds(at)]))

    def read_who(self, token: str, *, now: datetime) -> UUID | None:
        """None: it is not of us, or too old."""
        match _loaded(self._who, token):
            case [str(contact), int(at)] if _good(at, now, OPEN_FOR):
                return UUID(contact)
            case _:
                return None

    def file(self, form: str, contact_id: UUID, *, at: datetime) -> str:
        """Leave to download a form's file, for who has filled it in."""
        return _text(self._file.dumps([form, contact_id.hex, _milliseconds(at)]))

    def read_file(self, form: str, token: str, *, now: datetime, lasts: timedelta) -> UUID | None:
        """Who has this leave; None: it is not of us, not for this form's file, or too old."""
        match _loaded(self._file, token):
            case [str(name), str(contact), int(at)] if name == form and _good(at, now, lasts):
                return UUID(contact)
            case _:
                return None


def _good(at: int, now: datetime, lasts: timedelta) -> bool:
    # Another process's clock may be a little ahead.
    return -5000 <= _milliseconds(now) - at <= lasts / timedelta(milliseconds=1)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _signer(secret: str, kind: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt=f"tabiji.form.{kind}", signer_kwargs={"digest_method": hashlib.sha256})


def _text(token: str | bytes) -> str:
    return token if isinstance(token, str) else token.decode("ascii")


def _loaded(signer: URLSafeSerializer, token: str) -> object:
    if not token or len(token) > LONGEST:
        return None
    try:
        return cast("object", signer.loads(token))
    except (BadData, ValueError):
        return None
