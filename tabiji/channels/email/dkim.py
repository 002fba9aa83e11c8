"""DKIM: a signature over a mail, with which its domain stands for it (RFC 6376; Ed25519: RFC 8463).

    signer = Signer.of("example.com", [("r2026", rsa_pem), ("e2026", ed25519_pem)])
    signer.sign(content)            the message with its signatures in front
    record_of(pem)                  what the DNS has to say at r2026._domainkey.example.com

Relaxed canonicalization of header and body: relays fold lines anew and cut blanks. From is signed once more than it
is there (oversigned), so that nobody can put a second one above it; so are Subject, To, Reply-To and the rest of what
a reader goes by.
"""

from __future__ import annotations

import hashlib
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from tabiji.errors import ConfigurationError

Algorithm = Literal["rsa", "ed25519"]

SIGNED = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
)
"""Headers, those that are not there included: none of them can be added later."""
RSA_BITS = 2048
_FEWEST_BITS = 1024
_BLANKS = re.compile(rb"[ \t]+")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class _Key:
    selector: str
    algorithm: Literal["rsa-sha256", "ed25519-sha256"]
    sign: Callable[[bytes], bytes]


class Signer:
    """Signs mails for one domain."""

    def __init__(self, domain: str, keys: Iterable[_Key], clock: Callable[[], float] = time.time) -> None:
        self.domain = domain
        self._keys = list(keys)
        self._clock = clock

    @classmethod
    def of(cls, domain: str, keys: Iterable[tuple[str, bytes]]) -> Signer:
        """Signs with each of these keys.

        Args:
            domain: Whose signature it is; the sender's, or one above it, for DMARC.
            keys: Selectors, and private keys as PEM.

        Raises:
            ConfigurationError: One cannot be used.
        """
        if not _NAME.fullmatch(domain):
            raise ConfigurationError(f"TABIJI_DKIM_DOMAIN: {domain!r} is not a domain, e.g. example.com.")
        return cls(domain, [_key(selector, pem) for selector, pem in keys])

    def sign(self, content: bytes, /) -> bytes:
        """The message with its signatures. Its lines end with CRLF."""
        head, _, body = content.partition(b"\r\n\r\n")
        headers = _headers(head)
        digest = b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
        stamp = int(self._clock())
        return b"".join(self._signature(key, headers, digest, stamp) for key in self._keys) + content

    def _signature(self, key: _Key, headers: list[tuple[bytes, bytes]], digest: str, stamp: int) -> bytes:
        names, covered = _covered(headers)
        bare = (
            f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed; d={self.domain};\r\n"
            f" s={key.selector}; t={stamp}; q=dns/txt;\r\n"
            f" h={_folded(names)};\r\n bh={digest};\r\n b="
        ).encode()
        name, _, value = bare.partition(b":")
        signed = key.sign(covered + relaxed_header(name, value).removesuffix(b"\r\n"))
        written = b64encode(signed)
        return bare + b"\r\n ".join(written[at : at + 72] for at in range(0, len(written), 72)) + b"\r\n"


def make_key(algorithm: Algorithm) -> bytes:
    """A new private key, as PEM."""
    key = Ed25519PrivateKey.generate() if algorithm == "ed25519" else generate_private_key(65537, RSA_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def record_of(pem: bytes) -> str:
    """What the DNS has to say of a key, as one text: ``v=DKIM1; k=rsa; p=…``.

    Raises:
        ConfigurationError: It cannot be used.
    """
    key = _load("", pem)
    if isinstance(key, Ed25519PrivateKey):
        public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={b64encode(public).decode()}"
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"


def zone_line(selector: str, domain: str, record: str) -> str:
    """A record as a zone file has it: texts of at most 255 characters, one after the other."""
    parts = " ".join(f'"{record[at : at + 255]}"' for at in range(0, len(record), 255))
    return f"{selector}._domainkey.{domain}. 3600 IN TXT ( {parts} )"


def relaxed_header(name: bytes, value: bytes) -> bytes:
    """One header in the form that is signed (RFC 6376, 3.4.2)."""
    unfolded = value.replace(b"\r\n", b"")
    return name.strip(b" \t").lower() + b":" + _BLANKS.sub(b" ", unfolded).strip(b" ") + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """The body in the form that is signed (RFC 6376, 3.4.4). Of an empty one nothing is left."""
    whole = body if body.endswith(b"\r\n") or not body else body + b"\r\n"
    # A tenth of the time a regular expression takes: this is most of what a signature costs.
    squeezed = whole.replace(b"\t", b" ")
    while b"  " in squeezed:
        squeezed = squeezed.replace(b"  ", b" ")
    stripped = squeezed.replace(b" \r\n", b"\r\n")
    while stripped.endswith(b"\r\n"):
        stripped = stripped[:-2]
    return stripped + b"\r\n" if stripped else b""


def _headers(head: bytes) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and found:
            name, value = found[-1]
            found[-1] = name, value + b"\r\n" + line
        else:
            name, _, value = line.partition(b":")
            found.append((name, value))
    return found


def _covered(headers: list[tuple[bytes, bytes]]) -> tuple[list[bytes], bytes]:
    """Names in the order of the signature, and what is signed of them; of the same name, the last one first."""
    names: list[bytes] = []
    text: list[bytes] = []
    for wanted in SIGNED:
        for name, value in reversed(headers):
            if name.strip().lower() == wanted:
                names.append(wanted)
                text.append(relaxed_header(name, value))
        names.append(wanted)  # once more than it is there: another one would break the signature
    return names, b"".join(text)


def _folded(names: list[bytes]) -> str:
    lines = [b":".join(names[at : at + 6]) for at in range(0, len(names), 6)]
    return b":\r\n  ".join(lines).decode()


def _key(selector: str, pem: bytes) -> _Key:
    if not _NAME.fullmatch(selector):
        raise ConfigurationError(f"TABIJI_DKIM_SELECTOR: {selector!r} is not a name in the DNS, e.g. tabiji2026.")
    key = _load(selector, pem)
    if isinstance(key, Ed25519PrivateKey):
        # Of what is to be signed it gets the hash, not the text (RFC 8463, 3).
        return _Key(selector, "ed25519-sha256", lambda text: key.sign(hashlib.sha256(text).digest()))
    return _Key(selector, "rsa-sha256", lambda text: key.sign(text, padding.PKCS1v15(), hashes.SHA256()))


def _load(selector: str, pem: bytes) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if isinstance(key, Ed25519PrivateKey) or (isinstance(key, RSAPrivateKey) and key.key_size >= _FEWEST_BITS):
        return key
    about = f" for {selector}" if selector else ""
    raise ConfigurationError(
        f"TABIJI_DKIM_KEY: the file{about} is no private key that mails can be signed with: RSA of at least "
        f"{_FEWEST_BITS} bits or Ed25519, PEM, without a password. `tabiji mail key` makes one."
    )
