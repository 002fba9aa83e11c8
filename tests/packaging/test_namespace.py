"""The script that makes the namespace, run for real against a Temporal server."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

from tabiji import JourneyPlugin
from tabiji.testing import binary, dev_server

SCRIPT = Path(__file__).parent.parent.parent / "deploy" / "temporal" / "namespace.sh"


async def run(**variables: str) -> str:
    path = f"{Path(binary('temporal')).parent}:{os.environ['PATH']}"
    script = await asyncio.create_subprocess_exec(
        "sh", SCRIPT, env={**os.environ, "PATH": path, **variables}, stdout=subprocess.PIPE
    )
    said, _ = await script.communicate()
    assert script.returncode == 0
    return said.decode()


async def test_the_namespace_is_made_once_and_found_afterwards() -> None:
    async with dev_server(JourneyPlugin()) as temporal:
        address = temporal.client.service_client.config.target_host
        first = await run(TEMPORAL_ADDRESS=address, TEMPORAL_NAMESPACE="journeys")
        again = await run(TEMPORAL_ADDRESS=address, TEMPORAL_NAMESPACE="journeys")
    assert first.endswith("namespace: journeys made\n")
    assert again == "namespace: journeys is there\n"


def test_without_an_address_it_says_what_it_wants() -> None:
    refused = subprocess.run(["sh", SCRIPT], env={"PATH": "/bin"}, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "TEMPORAL_ADDRESS: host:port of the frontend" in refused.stderr
