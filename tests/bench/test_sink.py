"""The sink of the benches counts right, refuses as it is asked to, and ends with who started it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bench.sinks import ROOT, running
from tabiji.channels.carrier import PermanentFailure, TemporaryFailure
from tabiji.channels.email.smtp import SmtpRelay
from tests.mail.sinks import a_mail

LONG = timedelta(seconds=20)


async def test_it_counts_mails_and_pairs_and_refuses_as_addresses_ask(tmp_path: Path) -> None:
    file = tmp_path / "taken.jsonl"
    async with running("--file", str(file), "--bodies") as sink:
        client = SmtpRelay("127.0.0.1", sink.port)
        for number in (1, 2, 2):
            await client.send(a_mail(f"p{number}@example.jp", number), within=LONG)
        with pytest.raises(PermanentFailure, match=r"550 5\.1\.1"):
            await client.send(a_mail("550_5.1.1@example.jp"), within=LONG)
        for _ in range(2):
            with pytest.raises(TemporaryFailure, match="451"):
                await client.send(a_mail("451-2x@example.jp", 3), within=LONG)
        await client.send(a_mail("451-2x@example.jp", 3), within=LONG)
        counts = await sink.counts()
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        await client.close()
    assert (counts["mails"], counts["distinct"], counts["twice"], counts["recipients"]) == (4, 3, 1, 3)
    assert counts["answers"] == {"550": 1, "451": 2}
    assert [line["recipient"] for line in lines][-1] == "451-2x@example.jp"
    assert lines[0]["message_id"] == "<1@example.com>"
    assert lines[0]["content"].endswith("\r\n\r\n..dot\r\n"), "as it came over the wire"


async def test_it_says_what_it_has_counted_when_it_is_ended() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.sink", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    port = json.loads(await process.stdout.readline())["port"]
    client = SmtpRelay("127.0.0.1", port)
    await client.send(a_mail(), within=LONG)
    process.send_signal(signal.SIGTERM)
    said, _ = await process.communicate()
    assert json.loads(said)["mails"] == 1
    await client.close()
