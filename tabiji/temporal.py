"""Connects to Temporal, and prepares a namespace for journeys. Desk, own cluster and Cloud differ by settings alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import structlog
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client, Plugin
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode, TLSConfig

from tabiji.errors import ConfigurationError
from tabiji.settings import Settings

log = structlog.stdlib.get_logger(__name__)

JOURNEY = SearchAttributeKey.for_keyword("TabijiJourney")
CONTACT = SearchAttributeKey.for_keyword("TabijiContact")
ATTRIBUTES = (JOURNEY, CONTACT)
RPC_TIMEOUT = timedelta(seconds=10)


async def connect(settings: Settings, plugins: Sequence[Plugin], *, lazy: bool = False) -> Client:
    """Connect as the settings say.

    Args:
        settings: Address, namespace, API key, TLS.
        plugins: A `JourneyPlugin`, so that payloads read the same everywhere.
        lazy: Connect at the first call, for processes that are useful while Temporal is away.

    Raises:
        ConfigurationError: It does not answer, or a certificate cannot be read.
    """
    key = settings.temporal_api_key
    try:
        return await Client.connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            api_key=key.get_secret_value() if key else None,
            tls=_tls(settings),
            plugins=plugins,
            lazy=lazy,
        )
    except RuntimeError as error:
        raise ConfigurationError(
            f"Temporal does not answer at {settings.temporal_address} ({_first_line(error)}). Start it, or set "
            "TABIJI_TEMPORAL_ADDRESS; for Temporal Cloud also TABIJI_TEMPORAL_NAMESPACE and TABIJI_TEMPORAL_API_KEY."
        ) from None


async def prepare(client: Client, settings: Settings) -> None:
    """Give the namespace the search attributes and the retention journeys need, where they are not as they should be.

    Raises:
        ConfigurationError: The namespace is not there, or an attribute is missing and may not be added from here.
    """
    await _retention(client, settings)
    await _search_attributes(client, settings)


async def _retention(client: Client, settings: Settings) -> None:
    service = client.workflow_service
    try:
        found = await service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=RPC_TIMEOUT
        )
    except RPCError as error:
        if error.status == RPCStatusCode.PERMISSION_DENIED:
            return
        raise _unusable(client, settings, error) from None
    if found.config.workflow_execution_retention_ttl.ToTimedelta() == settings.retention:
        return
    ttl = Duration()
    ttl.FromTimedelta(settings.retention)
    try:
        await service.update_namespace(
            UpdateNamespaceRequest(
                namespace=client.namespace, config=NamespaceConfig(workflow_execution_retention_ttl=ttl)
            ),
            timeout=RPC_TIMEOUT,
        )
    except RPCError as error:
        # Temporal Cloud sets retention in its own console.
        log.warning("temporal.retention_kept", wanted=str(settings.retention), status=error.status.name)


async def _search_attributes(client: Client, settings: Settings) -> None:
    operator = client.operator_service
    try:
        there = await operator.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace), timeout=RPC_TIMEOUT
        )
        known = set(there.custom_attributes)
        missing = [key.name for key in ATTRIBUTES if key.name not in known]
        if missing:
            await operator.add_search_attributes(
                AddSearchAttributesRequest(
                    namespace=client.namespace,
                    search_attributes=dict.fromkeys(missing, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
                ),
                timeout=RPC_TIMEOUT,
            )
    except RPCError as error:
        if error.status == RPCStatusCode.ALREADY_EXISTS:
            return
        names = ", ".join(key.name for key in ATTRIBUTES)
        raise ConfigurationError(
            f"namespace {client.namespace!r} needs the search attributes {names} (type Keyword) and they cannot be "
            f"added from here ({error.status.name}). Add them in Temporal Cloud's console or with "
            f"`temporal operator search-attribute create --name … --type Keyword`."
        ) from None


def _unusable(client: Client, settings: Settings, error: RPCError) -> ConfigurationError:
    if error.status == RPCStatusCode.NOT_FOUND:
        return ConfigurationError(
            f"Temporal at {settings.temporal_address} has no namespace {client.namespace!r}. Create it with "
            f"`temporal operator namespace create -n {client.namespace}`, or set TABIJI_TEMPORAL_NAMESPACE."
        )
    return ConfigurationError(
        f"Temporal at {settings.temporal_address} refused ({error.status.name}). Check TABIJI_TEMPORAL_API_KEY or "
        "the TABIJI_TEMPORAL_TLS_… certificates."
    )


def _tls(settings: Settings) -> bool | TLSConfig:
    if settings.temporal_tls_cert and settings.temporal_tls_key:
        return TLSConfig(
            client_cert=_read(settings.temporal_tls_cert, "TABIJI_TEMPORAL_TLS_CERT"),
            client_private_key=_read(settings.temporal_tls_key, "TABIJI_TEMPORAL_TLS_KEY"),
            server_root_ca_cert=_authority(settings),
        )
    if settings.temporal_tls_ca:
        return TLSConfig(server_root_ca_cert=_authority(settings))
    return settings.temporal_tls or settings.temporal_api_key is not None


def _authority(settings: Settings) -> bytes | None:
    return _read(settings.temporal_tls_ca, "TABIJI_TEMPORAL_TLS_CA") if settings.temporal_tls_ca else None


def _read(path: Path, variable: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{variable}: {path} cannot be read ({error.strerror}).") from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
