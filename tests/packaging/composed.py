"""docker-compose.yml as Docker Compose reads it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).parent.parent.parent
FILLED_IN = {
    "POSTGRES_PASSWORD": "a1" * 24,
    "TEMPORAL_POSTGRES_PASSWORD": "b2" * 24,
    "TABIJI_SECRET": "c3" * 32,
    "TABIJI_PUBLIC_URL": "https://go.example.com",
    "TABIJI_MAIL_FROM": "Example <hello@example.com>",
    "TABIJI_SALES_EMAIL": "sales@example.com",
    "TABIJI_POSTAL_ADDRESS": "Example Inc., 1 Example Street",
}
COMPOSE = Path(sys.executable).parent / "docker-compose"


def compose(*arguments: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    # An empty env file: a developer's own .env must not fill in what a test leaves out.
    return subprocess.run(
        [COMPOSE, "--env-file", "/dev/null", "-f", "docker-compose.yml", *arguments],
        cwd=ROOT,
        env=dict(variables),
        capture_output=True,
        text=True,
        check=False,
    )


def composed(*arguments: str) -> dict[str, dict[str, Any]]:
    """Every service with all that it inherits, as `docker compose config` shows it."""
    shown = compose(*arguments, "config", "--format", "json", variables=FILLED_IN)
    assert shown.returncode == 0, shown.stderr
    return cast("dict[str, dict[str, Any]]", json.loads(shown.stdout)["services"])
