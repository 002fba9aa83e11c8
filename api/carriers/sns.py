"""How Amazon's SNS signs what it posts, and how its certificates are had: from addresses of Amazon alone.

The address of the certificate stands in what is to be proved. So it must be one of SNS's own, word for word; what it
leads to is asked for without following anything, is small, and is kept.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import httpx2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import load_pem_x509_certificate

from api.carriers.said import Object, is_timely, moment, text
from tabiji.errors import ChannelDown

_HOST = r"sns\.[a-z]{2}(?:-[a-z]+){1,3}-\d\.amazonaws\.com(?:\.cn)?"
CERTIFICATE = re.compile(rf"https://{_HOST}/SimpleNotificationService-[0-9a-f]{{8,64}}\.pem", re.ASCII)
CONFIRMATION = re.compile(rf"https://{_HOST}/\?[A-Za-z0-9=&%._:-]+", re.ASCII)
LARGEST = 64 * 1024
PATIENCE = 5.0
MOST_KEPT = 16

NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMING = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
"""What is signed, in this order."""

Get = Callable[[str], Awaitable[bytes]]


async def fetch(url: str) -> bytes:
    """What is at an address of Amazon's.

    Raises:
        ChannelDown: It does not answer as it should.
    """
    if not (CERTIFICATE.fullmatch(url) or CONFIRMATION.fullmatch(url)):
        raise ChannelDown("this is not an address of Amazon SNS; nothing was fetched")
    try:
        async with (
            asyncio.timeout(PATIENCE),
            httpx2.AsyncClient(follow_redirects=False, timeout=PATIENCE) as client,
            client.stream("GET", url) as answer,
        ):
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    break
    except (httpx2.HTTPError, TimeoutError) as error:
        raise ChannelDown(f"Amazon SNS does not answer ({type(error).__name__})") from None
    if answer.status_code != 200 or len(body) > LARGEST:
        raise ChannelDown(f"Amazon SNS answers {answer.status_code}")
    return body


@dataclass
class Sns:
    """Proves what SNS posts. `get` is how it fetches."""

    get: Get = fetch
    _kept: OrderedDict[str, bytes] = field(default_factory=OrderedDict[str, bytes])

    async def proves(self, message: Object, topics: frozenset[str], *, now: datetime) -> bool:
        """Whether SNS has signed this, for a topic of ours, and not too long ago.

        Raises:
            ChannelDown: The certificate cannot be had now.
        """
        url, arn = text(message.get("SigningCertURL")), text(message.get("TopicArn"))
        if arn not in topics or url is None or not CERTIFICATE.fullmatch(url):
            return False
        if not is_timely(moment(message.get("Timestamp")), now):
            return False
        signed, signature = _signed(message), _bytes(message.get("Signature"))
        if signed is None or signature is None:
            return False
        return _is_signed(await self._certificate(url), signed, signature, message.get("SignatureVersion"), now)

    async def confirm(self, message: Object) -> bool:
        """Say yes to a subscription that has been proved, at Amazon alone.

        Raises:
            ChannelDown: Amazon does not answer now.
        """
        url = text(message.get("SubscribeURL")) or ""
        if not CONFIRMATION.fullmatch(url):
            return False
        asked = parse_qs(urlsplit(url).query)
        if asked.get("Action") != ["ConfirmSubscription"] or asked.get("TopicArn") != [message.get("TopicArn")]:
            return False
        await self.get(url)
        return True

    async def _certificate(self, url: str) -> bytes:
        if url not in self._kept:
            found = await self.get(url)
            self._kept[url] = found
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return self._kept[url]


def _signed(message: Object) -> bytes | None:
    names = NOTIFICATION if message.get("Type") == "Notification" else CONFIRMING
    lines: list[str] = []
    for name in names:
        value = message.get(name)
        if isinstance(value, str):
            lines += [name, value]
        elif name != "Subject":
            return None
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _bytes(value: object) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except ValueError:
        return None


def _is_signed(certificate: bytes, signed: bytes, signature: bytes, version: object, now: datetime) -> bool:
    hashes = {"1": SHA1, "2": SHA256}
    made = hashes.get(version) if isinstance(version, str) else None
    try:
        loaded = load_pem_x509_certificate(certificate)
        key = loaded.public_key()
        if made is None or not isinstance(key, rsa.RSAPublicKey):
            return False
        if not loaded.not_valid_before_utc <= now <= loaded.not_valid_after_utc:
            return False
        # SHA-1 is what SNS signs with unless its topic says otherwise; the key is Amazon's either way.
        key.verify(signature, signed, padding.PKCS1v15(), made())
    except (ValueError, InvalidSignature):
        return False
    return True
