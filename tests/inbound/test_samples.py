"""Every sample of the bounce library, handed over by SMTP, ends as somebody who read it decided."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

import pytest

from models.suppressions import as_contacts_have_it
from tests.inbound.expected import AUTO, BLOCKED, DELAY, EXPECTED, HARD, REPLY, SOFT
from tests.inbound.house import DOMAIN, OURS, House
from tests.inbound.samples import SAMPLES, samples

NAMES = sorted(EXPECTED)
FAILED = [name for name in NAMES if EXPECTED[name].outcome not in (DELAY, AUTO, REPLY)]
_ORIGINAL = re.compile(rb"^(Message-I[dD]:\s*)<[^>]*>", re.MULTILINE)


@pytest.fixture(scope="session")
def mails(pytestconfig: pytest.Config) -> dict[str, bytes]:
    """The samples, by name."""
    return samples(pytestconfig.cache.mkdir("bounces"))


def test_each_sample_has_an_expectation_and_there_are_no_others(mails: dict[str, bytes]) -> None:
    assert sorted(mails) == NAMES
    assert len(NAMES) == SAMPLES


async def test_what_comes_back_to_its_own_address_does_what_it_says(house: House, mails: dict[str, bytes]) -> None:
    async def send(name: str, sent: dict[str, str]) -> None:
        # Servers send reports without a sender, as must be; programs and people have one.
        sender = "somebody@example.com" if EXPECTED[name].outcome in (AUTO, REPLY) else ""
        for public_id in sent.values():
            said = await house.deliver(_one_of_its_own(mails[name], public_id), OURS.bounce(public_id), sender=sender)
            assert said == (250, b"2.0.0 taken")

    assert await _wrong(house, NAMES, "address", send) == {}


async def test_what_brings_back_our_message_id_is_matched_by_that(house: House, mails: dict[str, bytes]) -> None:
    async def send(name: str, sent: dict[str, str]) -> None:
        for public_id in sent.values():
            await house.deliver(_with_our_id(_one_of_its_own(mails[name], public_id), public_id), f"bounces@{DOMAIN}")

    assert await _wrong(house, FAILED[::2], "message id", send) == {}


async def test_what_names_nothing_but_an_address_is_matched_by_that(house: House, mails: dict[str, bytes]) -> None:
    async def send(name: str, _sent: dict[str, str]) -> None:
        await house.deliver(mails[name], f"bounces@{DOMAIN}")

    named = [name for name in FAILED if EXPECTED[name].named and len(EXPECTED[name].recipients) == 1]
    assert await _wrong(house, named[1::2], "recipient", send) == {}


async def test_what_is_about_no_message_of_ours_is_kept_and_suppresses_nobody(
    house: House, mails: dict[str, bytes]
) -> None:
    for name in NAMES[::3]:
        await house.forget()
        for address in EXPECTED[name].recipients:
            await house.contact(as_contacts_have_it(address))

        await house.deliver(mails[name], f"bounces@{DOMAIN}")

        [kept] = await house.kept()
        assert (kept.matched, bool(kept.content), await house.suppressed(), await house.events()) == (
            None,
            True,
            {},
            [],
        )


Send = Callable[[str, dict[str, str]], Awaitable[None]]


async def _wrong(house: House, names: Sequence[str], by: str, send: Send) -> dict[str, object]:
    """Of these samples, those that led to something else than the table says: what is, and what should be."""
    wrong: dict[str, object] = {}
    for name in names:
        await house.forget()
        recipients = EXPECTED[name].recipients
        sent = {address: await house.mailed(as_contacts_have_it(address)) for address in recipients}
        await send(name, sent)
        found, wanted = await _found(house, sent), _wanted(EXPECTED[name].outcome, by, sent)
        if found != wanted:
            wrong[name] = (found, wanted)
    return wrong


def _wanted(outcome: str, by: str, sent: dict[str, str]) -> dict[str, object]:
    """What the table says of all these messages, and nothing else."""
    bounced = outcome if outcome not in (DELAY, AUTO, REPLY) else None
    told = {AUTO: "Email Auto-Replied", REPLY: "Email Replied", DELAY: None}.get(outcome, "Email Bounced")
    return {
        "suppressed": {as_contacts_have_it(one): "hard_bounce" for one in sent} if outcome == HARD else {},
        "messages": [(bounced, bounced is not None)] * len(sent),
        "events": [told] * len(sent) if told else [],
        "kept": {(bounced, by)},
    }


async def _found(house: House, sent: dict[str, str]) -> dict[str, object]:
    rows = [await house.message(public_id) for public_id in sent.values()]
    return {
        "suppressed": await house.suppressed(),
        "messages": [(row.bounce, row.bounced_at is not None) for row in rows],
        "events": await house.events(),
        "kept": {(row.outcome, row.matched) for row in await house.kept()},
    }


def _one_of_its_own(content: bytes, public_id: str) -> bytes:
    """Each message that comes back has a report of its own."""
    return re.sub(
        rb"^Message-I[dD]:.*$",
        b"Message-ID: <%s-report@mx.example>" % public_id[:8].encode(),
        content,
        count=1,
        flags=re.M,
    )


def _with_our_id(content: bytes, public_id: str) -> bytes:
    """As if it had been our message: its id where the sample has one of what it brings back, else at the end."""
    head, _, body = content.partition(b"\n\n")
    ours = b"<%s@shop.example>" % public_id.encode()
    changed, count = _ORIGINAL.subn(rb"\1" + ours, body, count=1)
    return head + b"\n\n" + (changed if count else body + b"\nMessage-ID: " + ours + b"\n")


def test_every_outcome_is_among_the_samples() -> None:
    assert {expected.outcome for expected in EXPECTED.values()} == {HARD, SOFT, BLOCKED, DELAY, AUTO, REPLY}
