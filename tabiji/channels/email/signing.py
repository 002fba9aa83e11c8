"""How links are signed: each kind with a salt of its own, so that no token is good for anything else."""

from __future__ import annotations

import hashlib
from typing import cast

from itsdangerous import BadData, URLSafeSerializer


def signer(secret: str, kind: str) -> URLSafeSerializer:
    """For one kind of link."""
    return URLSafeSerializer(secret, salt=f"tabiji.mail.{kind}", signer_kwargs={"digest_method": hashlib.sha256})


def text(token: str | bytes) -> str:
    """A token as an address has it."""
    return token if isinstance(token, str) else token.decode("ascii")


def loaded(signer: URLSafeSerializer, token: str) -> object:
    """What a token says; None when it was not signed here."""
    try:
        return cast("object", signer.loads(token))
    except (BadData, ValueError):
        return None
