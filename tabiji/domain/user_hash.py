"""What proves that a page speaks for a user: the site's server signs the user id, the page shows the signature.

    secret = user_secret(SECRET, "web shop")        printed by `tabiji key secret "web shop"`
    user_hash(secret, "u-1001")                     made by the site's server, sent as context.tabiji.userHash
    is_users_hash(secret, "u-1001", shown)          asked here

HMAC-SHA256 in hexadecimal, so that a server in any language makes it in one line.
"""

from __future__ import annotations

import hashlib
import hmac


def user_secret(secret: str, key_name: str) -> str:
    """The secret that signs user ids for one key: its own for each name, the same after the key was rotated.

    Args:
        secret: The installation's secret.
        key_name: The name the key was made with.
    """
    return user_hash(secret, f"user hash of {key_name}")


def user_hash(secret: str, user_id: str) -> str:
    """A user id's signature, 64 hexadecimal digits."""
    return hmac.new(_bytes(secret), _bytes(user_id), hashlib.sha256).hexdigest()


def is_users_hash(secret: str, user_id: str, shown: str) -> bool:
    """Whether somebody who knows the secret has signed this user id. Takes as long either way."""
    return hmac.compare_digest(_bytes(user_hash(secret, user_id)), _bytes(shown.strip().lower()))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
