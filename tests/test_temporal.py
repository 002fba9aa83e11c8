"""Desk, own cluster and Cloud differ by settings alone; what is wrong is said in one line."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest, RemoveSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.testing import WorkflowEnvironment

from tabiji import JourneyPlugin
from tabiji.errors import ConfigurationError
from tabiji.settings import Settings
from tabiji.temporal import connect, prepare
from tabiji.testing import dev_server


@pytest.fixture
async def server() -> AsyncGenerator[WorkflowEnvironment]:
    async with dev_server(JourneyPlugin()) as temporal:
        yield temporal


def address(server: WorkflowEnvironment) -> str:
    return str(server.client.service_client.config.target_host)


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg] # pydantic-settings takes it


async def test_a_namespace_gets_the_search_attributes_and_the_retention_it_lacks(server: WorkflowEnvironment) -> None:
    client = server.client
    await client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace="default", search_attributes=["TabijiJourney", "TabijiContact"])
    )
    asked = settings(temporal_address=address(server), retention=timedelta(days=45))
    connected = await connect(asked, [JourneyPlugin()])
    for _ in range(2):
        await prepare(connected, asked)

    there = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    assert {"TabijiJourney", "TabijiContact"} <= set(there.custom_attributes)
    namespace = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert namespace.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=45)


async def test_a_namespace_that_is_not_there_is_named_with_the_remedy(server: WorkflowEnvironment) -> None:
    asked = settings(temporal_address=address(server), temporal_namespace="nowhere")
    client = await connect(asked, [JourneyPlugin()])
    with pytest.raises(ConfigurationError, match=r"no namespace 'nowhere'. Create it .* or set TABIJI_TEMPORAL_NAMESP"):
        await prepare(client, asked)


async def test_a_server_that_is_away_is_named_with_the_setting() -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1:{port} .*TABIJI_TEMPORAL_ADDRESS") as caught:
        await connect(settings(temporal_address=f"127.0.0.1:{port}"), [JourneyPlugin()])
    assert "\n" not in str(caught.value)


async def test_a_certificate_that_cannot_be_read_is_named_with_its_setting(tmp_path: Path) -> None:
    asked = settings(temporal_tls_cert=tmp_path / "none.pem", temporal_tls_key=tmp_path / "none.key")
    with pytest.raises(ConfigurationError, match=r"TABIJI_TEMPORAL_TLS_CERT: .* cannot be read"):
        await connect(asked, [JourneyPlugin()])


@pytest.mark.parametrize("api_key", [None, "a key"])
async def test_mutual_tls_is_a_matter_of_settings(
    server: WorkflowEnvironment, tmp_path: Path, api_key: str | None
) -> None:
    """A door that asks for a client certificate stands before the server, as in Temporal Cloud."""
    authority = trustme.CA()
    files = {name: tmp_path / f"{name}.pem" for name in ("cert", "key", "ca")}
    mine = authority.issue_cert("worker.example.com")
    mine.cert_chain_pems[0].write_to_path(files["cert"])
    mine.private_key_pem.write_to_path(files["key"])
    authority.cert_pem.write_to_path(files["ca"])
    async with tls_door(authority, address(server)) as door:
        asked = settings(
            temporal_address=door,
            temporal_tls_cert=files["cert"],
            temporal_tls_key=files["key"],
            temporal_tls_ca=files["ca"],
            temporal_api_key=api_key,
        )
        client = await connect(asked, [JourneyPlugin()])
        await prepare(client, asked)

        with pytest.raises(ConfigurationError, match="does not answer"):
            await connect(settings(temporal_address=door, temporal_tls_ca=files["ca"]), [JourneyPlugin()])


@asynccontextmanager
async def tls_door(authority: trustme.CA, behind: str) -> AsyncGenerator[str]:
    """Ends TLS, asks who comes, and passes on what they say."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] # takes pyOpenSSL's too
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] # takes pyOpenSSL's too
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    host, _, port = behind.rpartition(":")
    talks: set[asyncio.Task[None]] = set()
    lines: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        lines.extend((back, writer))
        for source, sink in ((reader, back), (there, writer)):
            talks.add(asyncio.create_task(pass_on(source, sink)))

    server = await asyncio.start_server(serve, "localhost", 0, family=socket.AF_INET, ssl=context)
    try:
        yield f"localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        for line in lines:
            line.transport.abort()
        await asyncio.sleep(0)  # aborted transports say goodbye in the next turn of the loop


async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
