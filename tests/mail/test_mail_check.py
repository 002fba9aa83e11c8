"""`tabiji mail check` and `tabiji mail key`, against a real relay and a real name server."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import pytest
import trustme
from typer.testing import CliRunner

from tabiji.channels.email.checks import records
from tabiji.channels.email.checks.check import check
from tabiji.channels.email.checks.findings import Finding, State
from tabiji.channels.email.checks.names import Names
from tabiji.channels.email.dkim import make_key, record_of, zone_line
from tabiji.cli.mail import app
from tabiji.errors import ConfigurationError
from tabiji.settings import Settings, load
from tests.mail.nameserver import Zone, nameserver
from tests.mail.relays import relay

KEY = make_key("rsa")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "dkim.pem"
    file.write_bytes(KEY)
    return file


def told(key: Path, port: int, **more: object) -> Settings:
    return load(
        mail_from="Shop <hello@shop.example>",
        smtp_host="127.0.0.1",
        smtp_port=port,
        dkim_selector="s1",
        dkim_key=str(key),
        **more,
    )


def zone(**changes: list[str]) -> Zone:
    texts = zone_line("s1", "shop.example", record_of(KEY)).split("(")[1].strip(" )")
    return {
        ("s1._domainkey.shop.example", "TXT"): [texts],
        ("shop.example", "TXT"): ['"v=spf1 include:relay.example -all"', '"something else"'],
        ("_dmarc.shop.example", "TXT"): ['"v=DMARC1; p=quarantine; rua=mailto:d@shop.example"'],
        ("back.shop.example", "MX"): ["10 in.shop.example."],
        ("back.shop.example", "TXT"): ['"v=spf1 include:relay.example ~all"'],
    }


async def asked(settings: Settings, dns: int) -> dict[str, Finding]:
    return {found.about: found for found in await check(settings, Names("127.0.0.1", port=dns))}


async def test_all_is_well_when_relay_and_dns_are(key: Path) -> None:
    async with relay(login=True) as server, nameserver(zone()) as dns:
        settings = told(key, server.port, smtp_username="me", smtp_password="right", return_domain="back.shop.example")
        found = await asked(settings, dns)
    assert {one.state for one in found.values()} == {State.OK}, found
    assert "logged in" in found[f"relay 127.0.0.1:{server.port}"].words
    assert set(found) - {f"relay 127.0.0.1:{server.port}"} == {
        "DKIM key at s1._domainkey.shop.example",
        "SPF of back.shop.example",
        "DMARC of shop.example",
        "mail exchanger of back.shop.example",
        "alignment with shop.example",
    }


async def test_each_thing_that_is_wrong_is_named_with_what_to_do(key: Path) -> None:
    """Wrong password; another key; two SPF records; DMARC at the domain above that only watches."""
    other: dict[tuple[str, str], list[str]] = {
        ("s1._domainkey.news.shop.example", "TXT"): [f'"{record_of(make_key("ed25519"))}"'],
        ("news.shop.example", "TXT"): ['"v=spf1 -all"', '"v=spf1 +all"'],
        ("_dmarc.shop.example", "TXT"): ['"v=DMARC1; p=none"'],
    }
    async with relay(login=True) as server, nameserver(other) as dns:
        settings = told(key, server.port, smtp_username="me", smtp_password="wrong").model_copy(
            update={"mail_from": "Shop <hello@news.shop.example>"}
        )
        found = await asked(settings, dns)
    lines = {about: (one.state, one.words) for about, one in found.items()}
    assert lines[f"relay 127.0.0.1:{server.port}"][1].startswith("it does not let us in: 535")
    signature = found["DKIM key at s1._domainkey.news.shop.example"]
    assert signature.state is State.WRONG
    assert signature.todo is not None
    assert "another key" in signature.words
    assert "".join(re.findall(r'"([^"]*)"', signature.todo)) == record_of(KEY)
    assert lines["SPF of news.shop.example"][0] is State.WRONG
    assert lines["DMARC of shop.example"][0] is State.ADVICE


async def test_who_cannot_ask_says_so_and_claims_nothing(key: Path) -> None:
    async with relay() as server, nameserver({}, broken=True) as dns:
        found = await asked(told(key, server.port), dns)
    states = {about: one.state for about, one in found.items()}
    assert states.pop(f"relay 127.0.0.1:{server.port}") is State.OK
    assert states.pop("alignment with shop.example") is State.OK
    assert set(states.values()) == {State.UNKNOWN}


async def test_a_name_server_that_knows_no_such_domain_is_no_proof_that_records_lack(key: Path) -> None:
    async with relay() as server, nameserver({("other.example", "TXT"): ['"x"']}) as dns:
        found = await asked(told(key, server.port), dns)
    assert found["SPF of shop.example"].state is State.UNKNOWN


async def test_a_certificate_nobody_trusts_is_told(key: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] # also takes pyOpenSSL's
    async with relay(tls=context) as server, nameserver(zone()) as dns:
        found = await asked(told(key, server.port, smtp_security="tls"), dns)
    one = found[f"relay 127.0.0.1:{server.port}"]
    assert one.state is State.WRONG
    assert "certificate" in one.words


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        (["v=spf1 include:x.example -all"], State.OK),
        (["v=spf1 redirect=_spf.x.example"], State.OK),
        (["v=spf1 include:x.example"], State.ADVICE),
        (["v=spf1 ?all"], State.ADVICE),
        (["v=spf1 +all"], State.WRONG),
        (["v=spf10 -all"], State.WRONG),
        ([], State.WRONG),
    ],
)
def test_spf_is_judged(texts: list[str], state: State) -> None:
    assert records.spf("shop.example", texts).state is state


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        (["v=DMARC1; p=reject"], State.OK),
        (["v=DMARC1;p=none"], State.ADVICE),
        (["v=DMARC1; p=maybe"], State.WRONG),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], State.WRONG),
        (["something"], State.WRONG),
    ],
)
def test_dmarc_is_judged(texts: list[str], state: State) -> None:
    assert records.dmarc("shop.example", texts).state is state


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        (["v=DKIM1; k=rsa; p=AB CD"], State.OK),
        (["p=ABCD"], State.OK),
        (["v=DKIM1; k=rsa; t=y; p=ABCD"], State.ADVICE),
        (["v=DKIM1; k=rsa; p="], State.WRONG),
        (["v=DKIM1; k=ed25519; p=ABCD"], State.WRONG),
        (["p=ABCD", "p=ABCD"], State.WRONG),
        ([], State.WRONG),
    ],
)
def test_a_key_in_the_dns_is_judged(texts: list[str], state: State) -> None:
    assert records.dkim("s._domainkey.x", texts, "v=DKIM1; k=rsa; p=ABCD", "line").state is state


@pytest.mark.parametrize(
    ("signed", "state"),
    [
        ("shop.example", State.OK),
        ("mail.shop.example", State.OK),
        ("example", State.WRONG),
        ("relay.example", State.WRONG),
        ("myshop.example", State.WRONG),
    ],
)
def test_a_signature_of_somebody_else_does_not_stand_for_the_sender(signed: str, state: State) -> None:
    assert records.aligned("shop.example", [("signature", signed)]).state is state


def test_a_key_is_made_for_its_owners_eyes_and_never_over_another(tmp_path: Path) -> None:
    file = tmp_path / "dkim.pem"
    words = ["key", str(file), "--selector", "s1", "--domain", "shop.example"]
    made = CliRunner().invoke(app, words)
    assert made.exit_code == 0
    assert file.stat().st_mode & 0o077 == 0
    assert zone_line("s1", "shop.example", record_of(file.read_bytes())) in made.output
    pem = file.read_bytes()
    again = CliRunner().invoke(app, words)
    assert isinstance(again.exception, ConfigurationError)
    assert file.read_bytes() == pem
