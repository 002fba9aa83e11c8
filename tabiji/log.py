"""Structured logs: pretty on a terminal, one JSON object a line otherwise. Events with context, never an address."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import Processor

NOISY = (
    "aiosqlite",
    "alembic",
    "asyncio",
    "httpx2",
    "mail.log",  # aiosmtpd, and it quotes addresses
    "temporalio.activity",
    "temporalio.workflow",
    "uvicorn.error",
    "watchfiles",
)
"""Heard from a warning on."""


def configure(level: str = "info", *, process: str | None = None, stream: TextIO | None = None) -> None:
    """Set logging up for this process, the standard library's included.

    Args:
        level: debug, info, warning or error.
        process: Named on every line, for stacks of several processes.
        stream: Where to; standard error when absent.
    """
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    last: list[Processor] = (
        [
            # Plain: the default prints every local variable, and those hold addresses.
            structlog.dev.ConsoleRenderer(colors=True, exception_formatter=structlog.dev.plain_traceback)
        ]
        if out.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    if process:
        structlog.contextvars.bind_contextvars(process=process)
