"""`tabiji inbound` as it is run: a process of its own, killed when it has said yes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path

import pytest
from pydantic import SecretStr

from activities.letters import Letterhead
from models import schema
from models.database import Database
from tabiji.channels.email.addresses import Returned
from tabiji.channels.email.compose import Mailbox, compose
from tabiji.channels.email.render import Rendered
from tabiji.desk.plan import Plan
from tabiji.settings import Settings
from tests.api.conftest import free_port
from tests.inbound.house import DOMAIN, NOW, OURS, House
from tests.inbound.test_door import BOUNCE

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def running(url: str, port: int, folder: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    """The process, ready to be spoken to. Temporal is away."""
    settings = {
        "TABIJI_ENV_FILE": "", "TABIJI_DATABASE_URL": url, "TABIJI_DATA": str(folder),
        "TABIJI_SECRET": "a secret of at least thirty-two characters", "TABIJI_RETURN_DOMAIN": DOMAIN,
        "TABIJI_INBOUND_PORT": str(port), "TABIJI_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
    }  # fmt: skip # pairs
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tabiji.cli", "inbound", cwd=ROOT, env=os.environ | settings,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip # one call
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while b"inbound.started" not in (line := await process.stdout.readline()):
                assert line, "it ended before it listened"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.slow
async def test_what_it_said_yes_to_is_there_after_kill_9(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tabiji.sqlite3'}"
    await schema.upgrade(url)
    database = Database(url)
    house = House(database, port=free_port())
    public_id = await house.mailed("gone@example.org")

    async with running(url, house.port, tmp_path) as process:
        assert (await house.deliver(BOUNCE, "hanako@example.jp"))[0] == 550
        assert (await house.deliver(BOUNCE, OURS.bounce(public_id)))[0] == 250
        process.send_signal(signal.SIGKILL)
        await process.wait()

    assert await house.suppressed() == {"gone@example.org": "hard_bounce"}
    assert await house.events() == ["Email Bounced"]
    await database.close()


@pytest.mark.parametrize(("domain", "there"), [(None, False), (DOMAIN, True)])
def test_a_desk_takes_mail_in_where_there_is_a_domain_for_it(domain: str | None, there: bool, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data=tmp_path, return_domain=domain)  # type: ignore[call-arg] # pydantic takes it
    plan = Plan.make(settings)

    async def never(_pid: int) -> bool:
        return False

    children = {child.name for child in plan.children({}, never, never)}
    assert ("inbound" in children) == there
    assert ("inbound" in plan.addresses) == there


def test_a_mail_names_itself_in_its_return_path_and_where_it_is_answered(tmp_path: Path) -> None:
    secret = SecretStr("a secret of at least thirty-two characters")
    more = {"secret": secret, "return_domain": DOMAIN, "data": tmp_path}
    returns = Letterhead.of(Settings(_env_file=None, **more)).returns  # type: ignore[call-arg, arg-type] # pydantic takes them
    assert returns is not None
    mail = compose(
        Rendered(subject="Hello", html="<p>Hello</p>", text="Hello"),
        public_id="1" * 32,
        sender=Mailbox("Shop", "hello@shop.example"),
        recipient="hanako@example.jp",
        date=NOW,
        envelope_sender=returns.bounce("1" * 32),
        reply_to=returns.reply("1" * 32),
    )

    assert OURS.read(mail.sender) == Returned("bounce", "1" * 32)
    answered = parseaddr(str(message_from_bytes(mail.content)["Reply-To"]))[1]
    assert OURS.read(answered) == Returned("reply", "1" * 32)
