"""Every sample of the bounce library, handed over by SMTP, ends as somebody who read it decided."""

from __future__ import annotations

import re

import pytest

from models.suppressions import as_contacts_have_it
from tests.inbound.expected import AUTO, DELAY, EXPECTED, HARD, REPLY, SOFT
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


@pytest.mark.parametrize("name", NAMES)
async def test_what_comes_back_to_its_own_address_does_what_it_says(
    name: str, house: House, mails: dict[str, bytes]
) -> None:
    expected = EXPECTED[name]
    sent = {address: await house.mailed(as_contacts_have_it(address)) for address in expected.recipients}

    for public_id in sent.values():
        # Servers send reports without a sender, as must be; programs and people have one.
        sender = "" if expected.outcome not in (AUTO, REPLY) else "somebody@example.com"
        assert await house.deliver(_one_of_its_own(mails[name], public_id), OURS.bounce(public_id), sender=sender) == (
            250,
            b"2.0.0 taken",
        )

    await _ended(house, expected.outcome, sent)
    assert {row.matched for row in await house.kept()} == {"address"}


@pytest.mark.parametrize("name", [name for name in FAILED if name != "microsoft_02"][::4])
async def test_what_brings_back_our_message_id_is_matched_by_that(
    name: str, house: House, mails: dict[str, bytes]
) -> None:
    expected = EXPECTED[name]
    sent = {address: await house.mailed(as_contacts_have_it(address)) for address in expected.recipients[:1]}
    [public_id] = sent.values()

    await house.deliver(_with_our_id(mails[name], public_id), f"bounces@{DOMAIN}")

    await _ended(house, expected.outcome, sent)
    assert {row.matched for row in await house.kept()} == {"message id"}


@pytest.mark.parametrize("name", [name for name in FAILED if EXPECTED[name].named][1::4])
async def test_what_names_nothing_but_an_address_is_matched_by_that(
    name: str, house: House, mails: dict[str, bytes]
) -> None:
    expected = EXPECTED[name]
    sent = {address: await house.mailed(as_contacts_have_it(address)) for address in expected.recipients[:1]}

    await house.deliver(mails[name], f"bounces@{DOMAIN}")

    await _ended(house, expected.outcome, sent)
    assert {row.matched for row in await house.kept()} == {"recipient"}


@pytest.mark.parametrize("name", NAMES[::12])
async def test_what_is_about_no_message_of_ours_is_kept_and_suppresses_nobody(
    name: str, house: House, mails: dict[str, bytes]
) -> None:
    for address in EXPECTED[name].recipients:
        await house.contact(as_contacts_have_it(address))

    await house.deliver(mails[name], f"bounces@{DOMAIN}")

    assert await house.suppressed() == {}
    assert await house.events() == []
    [kept] = await house.kept()
    assert kept.matched is None
    assert kept.content


async def _ended(house: House, outcome: str, sent: dict[str, str]) -> None:
    """What the table says of all these messages, and nothing else."""
    hard = {as_contacts_have_it(address): "hard_bounce" for address in sent} if outcome == HARD else {}
    assert await house.suppressed() == hard
    bounced = outcome not in (DELAY, AUTO, REPLY)
    for public_id in sent.values():
        message = await house.message(public_id)
        assert message.bounce == (outcome if bounced else None)
        assert (message.bounced_at is not None) == bounced
    told = {AUTO: "Email Auto-Replied", REPLY: "Email Replied", DELAY: None}.get(outcome, "Email Bounced")
    assert await house.events() == [told] * (len(sent) if told else 0)
    assert {row.outcome for row in await house.kept()} == {outcome if bounced else None}


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
    assert {expected.outcome for expected in EXPECTED.values()} == {HARD, SOFT, "blocked", DELAY, AUTO, REPLY}
