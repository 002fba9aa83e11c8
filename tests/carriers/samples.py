"""What providers send, in the form their public documentation gives it; names and addresses are ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

MESSAGE = "0123456789abcdef" * 2
ADDRESS = "hanako@example.jp"
NOW = datetime.now(UTC)
AT = int(NOW.timestamp())
ISO = NOW.strftime("%Y-%m-%dT%H:%M:%S.000Z")
PAGE = "https://example.com/offer"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
BASIC = "tabiji:a long password"
MAILGUN_KEY = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail-events"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"

SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())
SENDGRID_PUBLIC = base64.b64encode(
    SENDGRID_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
SNS_KEY = rsa.generate_private_key(65537, 2048)

SECRETS: dict[str, tuple[str, ...]] = {
    "sendgrid": (SENDGRID_PUBLIC,),
    "mailgun": (MAILGUN_KEY,),
    "postmark": (BASIC,),
    "mailjet": (BASIC,),
    "ses": (TOPIC,),
}


@dataclass(frozen=True)
class Sent:
    """A request."""

    body: bytes
    headers: Mapping[str, str]


def sendgrid_event(event: str, **more: Any) -> dict[str, Any]:
    return {
        "email": ADDRESS, "timestamp": AT, "smtp-id": f"<{MESSAGE}@example.com>", "event": event,
        "category": ["cat facts"], "sg_event_id": f"{event}-{more.get('status', '')}",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001",
        **more,
    }  # fmt: skip # as they write it


def mailgun_event(event: str, **more: Any) -> dict[str, Any]:
    return {
        "event": event, "id": f"Ase7i2zsRYeDXztHGENqRA-{event}", "timestamp": AT + 0.25, "log-level": "info",
        "recipient": ADDRESS, "recipient-domain": "example.jp", "tags": ["my_tag_1"], "user-variables": {},
        "flags": {"is-test-mode": False},
        "message": {"headers": {"to": ADDRESS, "message-id": f"{MESSAGE}@example.com"}, "size": 512},
        **more,
    }  # fmt: skip # as they write it


def postmark_event(record: str, **more: Any) -> dict[str, Any]:
    return {
        "RecordType": record, "MessageStream": "broadcasts", "ID": 4323372036854775807, "ServerID": 23,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "Recipient": ADDRESS, "Email": ADDRESS, "Tag": "welcome",
        "Metadata": {"tabiji": MESSAGE}, "ReceivedAt": ISO, **more,
    }  # fmt: skip # as they write it


def mailjet_event(event: str, **more: Any) -> dict[str, Any]:
    return {
        "event": event, "time": AT, "MessageID": 19421777835146490,
        "Message_GUID": "1ab23cd4-e567-8901-2345-6789f0gh1i2j",
        "email": ADDRESS, "mj_campaign_id": 7257, "mj_contact_id": 4, "customcampaign": "", "CustomID": MESSAGE,
        "Payload": "", **more,
    }  # fmt: skip # as they write it


def ses_event(kind: str, about: Mapping[str, Any], *, name: str = "notificationType") -> dict[str, Any]:
    return {
        name: kind,
        "mail": {
            "timestamp": ISO, "source": "x@example.com", "messageId": "0102018f-abcd-000000", "destination": [ADDRESS],
            "headersTruncated": False,
            "headers": [
                {"name": "Message-ID", "value": f"<{MESSAGE}@example.com>"},
                {"name": "X-Tabiji-Message", "value": MESSAGE},
            ],
            "commonHeaders": {"subject": "旅"}, "tags": {"ses:configuration-set": ["tabiji"]},
        },
        kind.lower(): dict(about),
    }  # fmt: skip # as they write it


def ses_bounce(kind: str, subtype: str, status: str = "") -> dict[str, Any]:
    recipient = {"emailAddress": ADDRESS, "action": "failed", "status": status, "diagnosticCode": "smtp; 550 5.1.1 …"}
    about = {"bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": [recipient], "timestamp": ISO}
    return ses_event("Bounce", about)


def by_sendgrid(*events: dict[str, Any], at: int = AT) -> Sent:
    body = json.dumps(list(events)).encode()
    signature = SENDGRID_KEY.sign(str(at).encode() + body, ec.ECDSA(hashes.SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": str(at),
    }
    return Sent(body, headers)


def by_mailgun(event: dict[str, Any], *, at: int = AT, token: str | None = None) -> Sent:
    token = token or hashlib.sha256(json.dumps(event).encode()).hexdigest()[:50]
    signature = hmac.new(MAILGUN_KEY.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    signed = {"timestamp": str(at), "token": token, "signature": signature}
    return Sent(json.dumps({"signature": signed, "event-data": event}).encode(), {})


def by_basic(events: object, *, credentials: str = BASIC) -> Sent:
    return Sent(
        json.dumps(events).encode(), {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}
    )


def by_sns(message: object, *, kind: str = "Notification", at: datetime = NOW, version: str = "1", **more: str) -> Sent:
    said: dict[str, str] = {
        "Type": kind, "MessageId": hashlib.sha256(repr(message).encode()).hexdigest()[:36], "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "SignatureVersion": version, "SigningCertURL": CERTIFICATE,
        **more,
    }  # fmt: skip # as they write it
    names = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    signed = "".join(f"{name}\n{said[name]}\n" for name in names if name in said).encode()
    made = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303 # what SNS signs with
    said.setdefault("Signature", base64.b64encode(SNS_KEY.sign(signed, padding.PKCS1v15(), made)).decode())
    return Sent(json.dumps(said).encode(), {"x-amz-sns-message-type": kind})


def certificate(*, ends: datetime = NOW + timedelta(days=365)) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(SNS_KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(ends)
    )
    return built.sign(SNS_KEY, hashes.SHA256()).public_bytes(Encoding.PEM)
