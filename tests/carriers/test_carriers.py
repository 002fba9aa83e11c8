"""What mail providers tell is proved, stored once, and answered only then."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import update

from api.carriers import ses
from api.carriers.door import PROVIDERS, SIGNING
from api.carriers.said import Said
from api.carriers.sns import CERTIFICATE as CERTIFICATES
from api.carriers.sns import CONFIRMATION, Sns, fetch
from models.contact import Consent
from models.database import Database, table
from models.event import Event
from models.message import Message
from models.suppression import Suppression
from tabiji.channels.email.providers import headers_for
from tabiji.domain.bounces import NAMES, effect
from tabiji.errors import ChannelDown, DatabaseDown
from tests.api.conftest import Door, opened, settings_for, with_a_mail
from tests.carriers.samples import (
    ADDRESS,
    AT,
    BASIC,
    CERTIFICATE,
    CHROME,
    ISO,
    MESSAGE,
    NOW,
    PAGE,
    SECRETS,
    TOPIC,
    Sent,
    by_basic,
    by_mailgun,
    by_sendgrid,
    by_sns,
    certificate,
    mailgun_event,
    mailjet_event,
    postmark_event,
    sendgrid_event,
    ses_bounce,
    ses_event,
)

CONFIRM = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
OLD = AT - 26 * 3600


class Amazon:
    """Hands out the certificate, and notes what it was asked for."""

    def __init__(self, found: bytes | None = None) -> None:
        self.asked: list[str] = []
        self._found = found or certificate()

    async def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        return self._found


@pytest.fixture
def amazon() -> Amazon:
    return Amazon()


@pytest.fixture
async def door(sqlite: Database, tmp_path: Path, amazon: Amazon) -> AsyncGenerator[Door]:
    secrets = {name: tuple(map(SecretStr, each)) for name, each in SECRETS.items()}
    async with opened(sqlite, settings_for(sqlite, tmp_path, carrier_secrets=secrets)) as door:
        door.parts.sns.get = amazon
        await with_a_mail(door, {"email": ADDRESS}, template="demo/invitation")
        async with door.parts.database.write() as tx:
            values = {"public_id": MESSAGE, "topic": "marketing", "recipient": ADDRESS, "email": ADDRESS}
            values = {name: value for name, value in values.items() if name in table(Message).c}
            await tx.execute(update(table(Message)).values(sent_at=NOW - timedelta(hours=1), **values))
        yield door


async def brought(door: Door, name: str, sent: Sent) -> httpx2.Response:
    headers = {"Content-Type": "application/json", **sent.headers}
    return await door.nobody.post(f"/v1/carriers/{name}", content=sent.body, headers=headers)


async def events(door: Door) -> list[str]:
    return [event.name for event in await door.all(Event) if event.kind == "mail"]


BOUNCES: Sequence[tuple[str, Sent, str | None]] = (
    ("sendgrid", by_sendgrid(sendgrid_event("bounce", status="5.1.1", type="bounce", reason="550 no")), "hard"),
    ("sendgrid", by_sendgrid(sendgrid_event("bounce", status="5.2.2", type="bounce")), "soft"),
    ("sendgrid", by_sendgrid(sendgrid_event("bounce", status="5.7.1", type="blocked")), "blocked"),
    ("sendgrid", by_sendgrid(sendgrid_event("dropped", reason="Bounced Address")), "hard"),
    ("sendgrid", by_sendgrid(sendgrid_event("dropped", reason="Unsubscribed Address")), "blocked"),
    ("mailgun", by_mailgun(mailgun_event("failed", severity="permanent", reason="bounce",
     **{"delivery-status": {"code": 550, "enhanced-code": "5.1.1", "message": "no"}})), "hard"),
    ("mailgun", by_mailgun(mailgun_event("failed", severity="permanent", reason="bounce",
     **{"delivery-status": {"code": 605}})), "hard"),
    ("mailgun", by_mailgun(mailgun_event("failed", severity="temporary", reason="generic",
     **{"delivery-status": {"code": 452, "enhanced-code": "4.2.2"}})), "soft"),
    ("mailgun", by_mailgun(mailgun_event("failed", severity="permanent", reason="suppress-complaint")), "blocked"),
    ("postmark", by_basic(postmark_event("Bounce", Type="HardBounce", BouncedAt=ISO, Inactive=True)), "hard"),
    ("postmark", by_basic(postmark_event("Bounce", Type="SoftBounce", TypeCode=4096, BouncedAt=ISO)), "soft"),
    ("postmark", by_basic(postmark_event("Bounce", Type="Blocked", BouncedAt=ISO)), "blocked"),
    ("postmark", by_basic(postmark_event("Bounce", Type="AutoResponder", BouncedAt=ISO)), None),
    ("mailjet", by_basic([mailjet_event("bounce", hard_bounce=True, blocked=False, error_related_to="recipient",
     error="user unknown")]), "hard"),
    ("mailjet", by_basic(mailjet_event("bounce", hard_bounce=False, error="quota exceeded")), "soft"),
    ("mailjet", by_basic(mailjet_event("blocked", error_related_to="sender", error="sender blocked")), "blocked"),
    ("ses", by_sns(ses_bounce("Permanent", "General", "5.1.1")), "hard"),
    ("ses", by_sns(ses_bounce("Permanent", "NoEmail"), version="2"), "hard"),
    ("ses", by_sns(ses_bounce("Transient", "MailboxFull", "5.2.2")), "soft"),
    ("ses", by_sns(ses_bounce("Transient", "ContentRejected")), "blocked"),
    ("ses", by_sns(ses_bounce("Undetermined", "Undetermined")), "soft"),
)  # fmt: skip # one case a line


@pytest.mark.parametrize(("name", "sent", "expected"), BOUNCES)
def test_each_kind_of_bounce_means_what_it_means_elsewhere(name: str, sent: Sent, expected: str | None) -> None:
    payload = json.loads(sent.body)
    read = ses.read(payload) if name == "ses" else PROVIDERS[name].read(payload)
    found = [(one.message, NAMES[effect(one.kind, permanent=one.permanent)]) for one in read]
    assert found == ([(MESSAGE, expected)] if expected else [])


@pytest.mark.parametrize("place", [0, 5, 9, 13, 16])
async def test_a_bounce_marks_the_message_and_suppresses_the_address_once(door: Door, place: int) -> None:
    name, sent, _ = BOUNCES[place]
    for _ in range(2):
        answer = await brought(door, name, sent)
        assert answer.status_code == 200, answer.text

    (message,) = await door.all(Message)
    assert message.bounce == "hard"
    entries = [(one.value, one.reason, one.source) for one in await door.all(Suppression)]
    assert entries == [(ADDRESS, "hard_bounce", name)]
    assert await events(door) == ["Email Bounced"]


COMPLAINTS = (
    ("sendgrid", by_sendgrid(sendgrid_event("spamreport"))),
    ("mailgun", by_mailgun(mailgun_event("complained"))),
    ("postmark", by_basic(postmark_event("SpamComplaint", Type="SpamComplaint", BouncedAt=ISO))),
    ("mailjet", by_basic(mailjet_event("spam", source="JMRPP"))),
    ("ses", by_sns(ses_event("Complaint", {"complainedRecipients": [{"emailAddress": ADDRESS}],
     "complaintFeedbackType": "abuse", "timestamp": ISO}))),
)  # fmt: skip # one case a line


async def test_a_complaint_ends_marketing_whoever_tells_of_it_and_however_often(door: Door) -> None:
    for name, sent in COMPLAINTS:
        assert (await brought(door, name, sent)).json()["stored"] == 1, name
    assert await events(door) == ["Email Marked as Spam"]
    (message,) = await door.all(Message)
    assert message.complained_at is not None
    assert [one.reason for one in await door.all(Suppression)] == ["complaint"]
    assert [(one.topic, one.given) for one in await door.all(Consent)] == [("marketing", False)]


WITHDRAWALS = (
    ("sendgrid", by_sendgrid(sendgrid_event("group_unsubscribe", asm_group_id=10))),
    ("mailgun", by_mailgun(mailgun_event("unsubscribed"))),
    ("postmark", by_basic(postmark_event("SubscriptionChange", SuppressSending=True, Origin="Recipient",
     SuppressionReason="ManualSuppression", ChangedAt=ISO))),
    ("mailjet", by_basic(mailjet_event("unsub", mj_list_id=1, ip="127.0.0.1", geo="FR", agent=CHROME))),
    ("ses", by_sns(ses_event("Subscription", {"newTopicPreferences": {"unsubscribeAll": True}, "timestamp": ISO,
     "contactList": "x", "source": "UnsubscribeHeader"}, name="eventType"))),
)  # fmt: skip # one case a line


async def test_who_leaves_by_a_provider_has_left(door: Door) -> None:
    for name, sent in WITHDRAWALS:
        for _ in range(2):
            assert (await brought(door, name, sent)).json()["stored"] == 1, name
    assert await events(door) == ["Unsubscribed"] * len(WITHDRAWALS)
    assert {(one.topic, one.given) for one in await door.all(Consent)} == {("marketing", False)}


TOUCHED = (
    ("sendgrid", by_sendgrid(sendgrid_event("click", url=PAGE, useragent=CHROME, ip="203.0.113.7")), False),
    ("sendgrid", by_sendgrid(sendgrid_event("open", useragent="Mozilla/5.0", sg_machine_open=True)), True),
    ("mailgun", by_mailgun(mailgun_event("clicked", url=PAGE, ip="203.0.113.7",
     **{"client-info": {"user-agent": CHROME, "bot": ""}})), False),
    ("mailgun", by_mailgun(mailgun_event("opened", **{"client-info": {"user-agent": "x", "bot": "apple"}})), True),
    ("postmark", by_basic(postmark_event("Click", OriginalLink=PAGE, UserAgent=CHROME)), False),
    ("postmark", by_basic(postmark_event("Open", FirstOpen=True, UserAgent=CHROME, Geo={"IP": "203.0.113.7"})), False),
    ("mailjet", by_basic(mailjet_event("click", url=PAGE, ip="203.0.113.7", agent=CHROME)), False),
    ("ses", by_sns(ses_event("Click", {"link": PAGE, "ipAddress": "67.231.152.9", "userAgent": "curl/8",
     "timestamp": ISO}, name="eventType")), True),
    ("ses", by_sns(ses_event("Open", {"userAgent": CHROME, "timestamp": ISO}, name="eventType")), False),
)  # fmt: skip # one case a line


async def test_opens_and_clicks_are_told_apart_like_our_own(door: Door) -> None:
    for name, sent, machine in TOUCHED:
        before = await door.rows(Event)
        for _ in range(2):
            assert (await brought(door, name, sent)).json()["stored"] == 1, name
        *_, event = await door.all(Event)
        assert event.properties.get("machine", False) is machine, (name, sent.body)
        assert await door.rows(Event) == before + 1
    (message,) = await door.all(Message)
    assert None not in (message.machine_at, message.opened_at, message.clicked_at)


DELIVERIES = (
    ("sendgrid", by_sendgrid(sendgrid_event("delivered", response="250 OK"))),
    ("mailgun", by_mailgun(mailgun_event("delivered"))),
    ("postmark", by_basic(postmark_event("Delivery", DeliveredAt=ISO))),
    ("mailjet", by_basic(mailjet_event("sent", smtp_reply="250 OK"))),
    ("ses", by_sns(ses_event("Delivery", {"timestamp": ISO, "recipients": [ADDRESS]}))),
)


async def test_a_delivery_is_noted_on_the_message(door: Door) -> None:
    for name, sent in DELIVERIES:
        assert (await brought(door, name, sent)).json()["stored"] == 1, name
    (message,) = await door.all(Message)
    assert message.delivered_at is not None


BOUNCE = sendgrid_event("bounce", status="5.1.1")
FORGED = (
    ("sendgrid", Sent(by_sendgrid(BOUNCE).body, {})),
    ("sendgrid", Sent(by_sendgrid(BOUNCE).body + b" ", by_sendgrid(BOUNCE).headers)),
    ("sendgrid", by_sendgrid(BOUNCE, at=OLD)),
    ("sendgrid", by_sendgrid(BOUNCE, at=AT + 3600)),
    ("sendgrid", Sent(by_sendgrid(BOUNCE).body, {**by_sendgrid(BOUNCE).headers,
     "X-Twilio-Email-Event-Webhook-Timestamp": str(AT + 1)})),
    ("mailgun", by_mailgun(mailgun_event("complained"), at=OLD)),
    ("mailgun", Sent(by_mailgun(mailgun_event("complained")).body.replace(b'"signature": "', b'"signature": "0'), {})),
    ("mailgun", Sent(b"{}", {})),
    ("postmark", by_basic(postmark_event("Bounce", Type="HardBounce"), credentials="tabiji:wrong")),
    ("postmark", by_basic(postmark_event("Bounce", Type="HardBounce"), credentials="")),
    ("mailjet", Sent(b"[]", {"Authorization": "Basic !!"})),
    ("mailjet", Sent(b"[]", {"Authorization": f"Bearer {BASIC}"})),
    ("ses", by_sns(ses_bounce("Permanent", "General"), at=NOW - timedelta(hours=26))),
    ("ses", by_sns(ses_bounce("Permanent", "General"), TopicArn="arn:aws:sns:eu-west-1:999999999999:evil")),
    ("ses", by_sns(ses_bounce("Permanent", "General"), Signature="AAAA")),
    ("ses", by_sns(ses_bounce("Permanent", "General"), version="3")),
    ("ses", Sent(by_sns(ses_bounce("Permanent", "General")).body.replace(b"hanako", b"someone"), {})),
    ("ses", Sent(json.dumps(ses_bounce("Permanent", "General")).encode(), {})),
)  # fmt: skip # one case a line


async def test_what_is_not_proved_changes_nothing(door: Door) -> None:
    for name, sent in FORGED:
        assert (await brought(door, name, sent)).status_code == 401, (name, sent)
    assert await events(door) == []
    assert await door.rows(Suppression) == 0


EVIL_CERTIFICATES = (
    "https://evil.example/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
    "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
    "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem",
    "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0123456789abcdef.pem",
    "https://evil.example/https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
    "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0123456789abcdef.pem",
    "https://sns.eu-west-1.amazonaws.com/../bucket/SimpleNotificationService-0123456789abcdef.pem",
    "https://bucket.s3.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem?x=",
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem\n",
    "https://169.254.169.254/SimpleNotificationService-0123456789abcdef.pem",
    "file:///etc/passwd",
)


async def test_certificates_come_from_amazon_alone() -> None:
    amazon = Amazon()
    for url in EVIL_CERTIFICATES:
        message = json.loads(by_sns(ses_bounce("Permanent", "General"), SigningCertURL=url).body)
        assert not await Sns(amazon).proves(message, frozenset((TOPIC,)), now=NOW)
        with pytest.raises(ChannelDown, match="not an address"):
            await fetch(url)
    assert amazon.asked == []


async def test_a_certificate_is_fetched_once_and_must_be_in_force(door: Door, amazon: Amazon) -> None:
    for _ in range(3):
        await brought(door, "ses", by_sns(ses_bounce("Permanent", "General")))
    assert amazon.asked == [CERTIFICATE]
    assert CERTIFICATES.fullmatch(CERTIFICATE)

    over = Sns(Amazon(certificate(ends=NOW - timedelta(days=1))))
    message = json.loads(by_sns({}).body)
    assert not await over.proves(message, frozenset((TOPIC,)), now=NOW)
    assert await Sns(Amazon()).proves(message, frozenset((TOPIC,)), now=NOW)
    assert not await Sns(Amazon(b"no certificate")).proves(message, frozenset((TOPIC,)), now=NOW)


async def test_a_subscription_is_confirmed_at_amazon_alone(door: Door, amazon: Amazon) -> None:
    def asks(url: str) -> Sent:
        return by_sns("You have chosen …", kind="SubscriptionConfirmation", Token="2336412f37", SubscribeURL=url)

    assert (await brought(door, "ses", asks(CONFIRM))).status_code == 200
    assert amazon.asked == [CERTIFICATE, CONFIRM]
    for evil in (
        CONFIRM.replace("sns.eu-west-1.amazonaws.com", "evil.example"),
        CONFIRM.replace("ConfirmSubscription", "Publish"),
        CONFIRM.replace(TOPIC, "arn:aws:sns:eu-west-1:999999999999:evil"),
        CONFIRM.replace("https:", "http:"),
        CONFIRM.replace(".com/", ".com/x"),
        CONFIRM + "#@evil.example",
    ):
        assert (await brought(door, "ses", asks(evil))).status_code == 200
    assert amazon.asked == [CERTIFICATE, CONFIRM]
    assert CONFIRMATION.fullmatch(CONFIRM)


async def test_a_token_of_mailgun_is_good_for_one_body(door: Door) -> None:
    first = by_mailgun(mailgun_event("opened", **{"client-info": {"user-agent": CHROME}}), token="t" * 50)
    assert (await brought(door, "mailgun", first)).status_code == 200
    assert (await brought(door, "mailgun", first)).status_code == 200, "they bring it again where our answer was lost"
    assert (await brought(door, "mailgun", by_mailgun(mailgun_event("complained"), token="t" * 50))).status_code == 401


async def test_a_batch_is_stored_whole_and_strangers_mails_are_counted_not_kept(door: Door) -> None:
    others = [
        sendgrid_event("open", **{"smtp-id": f"<{n}@other.example>", "email": "x@example.org"}) for n in range(50)
    ]
    known = [sendgrid_event("delivered"), sendgrid_event("click", url=PAGE, useragent=CHROME), sendgrid_event("bounce")]
    answer = await brought(door, "sendgrid", by_sendgrid(*others, *known, sendgrid_event("processed")))
    assert answer.json() == {"stored": 3, "unknown": 50, "ignored": None}
    assert sorted(await events(door)) == ["Email Bounced", "Email Link Clicked"]


async def test_an_address_is_enough_where_the_message_is_not_named(door: Door) -> None:
    sent = by_sendgrid(sendgrid_event("bounce", status="5.1.1", **{"smtp-id": "<x@other.example>"}))
    assert (await brought(door, "sendgrid", sent)).status_code == 200
    assert [(one.value, one.reason) for one in await door.all(Suppression)] == [(ADDRESS, "hard_bounce")]


async def test_what_could_not_be_stored_is_asked_for_again(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise DatabaseDown("away")

    monkeypatch.setattr(Database, "transact", away)
    for name, sent, _ in (BOUNCES[0], BOUNCES[5], BOUNCES[9], BOUNCES[13], BOUNCES[16]):
        assert (await brought(door, name, sent)).status_code == 503


async def test_amazon_being_away_is_no_forgery(door: Door) -> None:
    async def away(_: str) -> bytes:
        raise ChannelDown("Amazon SNS does not answer")

    door.parts.sns.get = away
    assert (await brought(door, "ses", by_sns(ses_bounce("Permanent", "General")))).status_code == 503


async def test_without_a_secret_nobody_is_believed(sqlite: Database, tmp_path: Path) -> None:
    async with opened(sqlite, settings_for(sqlite, tmp_path)) as bare:
        for name, sent, _ in (BOUNCES[0], BOUNCES[5], BOUNCES[9], BOUNCES[13], BOUNCES[16]):
            assert (await brought(bare, name, sent)).status_code == 401
        assert (await brought(bare, "nobody", BOUNCES[0][1])).status_code == 404


async def test_hostile_bodies_break_nothing(door: Door) -> None:
    for body in (b"", b"null", b"[", b"[" * 100_000, b"\xff", b'{"a":1}', b"[1,null,[]]", b'"x"', b"1e999"):
        for name in SECRETS:
            status = (await brought(door, name, Sent(body, by_basic([]).headers))).status_code
            assert status in (200, 401), (name, status)
    too_large = await brought(door, "postmark", Sent(b" " * (2 << 20 | 1), by_basic([]).headers))
    assert too_large.status_code == 413


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)
FIELDS = (
    "event", "RecordType", "Type", "event-data", "email", "timestamp", "time", "smtp-id", "Metadata", "CustomID", "url",
    "delivery-status", "message", "client-info", "sg_event_id", "hard_bounce", "error", "status", "reason", "Geo",
)  # fmt: skip # one list
WORDS = (
    "bounce",
    "dropped",
    "open",
    "failed",
    "Bounce",
    "HardBounce",
    "SubscriptionChange",
    "blocked",
    "unsub",
    "click",
)
strange = st.dictionaries(st.sampled_from(FIELDS), st.one_of(st.sampled_from(WORDS), anything), max_size=8)


@given(st.one_of(strange, st.lists(strange, max_size=3), strange.map(lambda one: {"event-data": one}), anything))
def test_whatever_is_in_a_body_it_is_read_or_left_out(payload: Any) -> None:
    for provider in SIGNING:
        assert all(isinstance(one, Said) for one in provider.read(payload))
    told = {"Message": json.dumps({"eventType": "Bounce", "mail": payload, "bounce": payload})}
    assert all(isinstance(one, Said) for one in ses.read(told))


def test_a_mail_names_itself_to_providers_that_do_not_keep_its_name() -> None:
    assert headers_for((), MESSAGE) == headers_for(("sendgrid", "mailgun"), MESSAGE) == {}
    assert headers_for(("ses", "mailjet"), MESSAGE) == {"X-Tabiji-Message": MESSAGE, "X-MJ-CustomID": MESSAGE}
