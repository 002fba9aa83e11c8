"""docker-compose.yml without an engine: what can be known of it before somebody starts it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from tabiji import settings
from tests.packaging.composed import FILLED_IN, ROOT, compose, composed


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    return composed()


def ours(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in services.items() if "build" in service}


def test_the_file_is_valid_once_it_is_filled_in() -> None:
    assert compose("config", "-q", variables=FILLED_IN).returncode == 0


@pytest.mark.parametrize("missing", FILLED_IN)
def test_nothing_starts_while_a_secret_or_an_address_is_missing(missing: str) -> None:
    """No default secret: what is left out is asked for by name, with how to get it."""
    variables = {name: value for name, value in FILLED_IN.items() if name != missing}
    refused = compose("config", "-q", variables=variables)
    assert refused.returncode != 0
    assert re.search(rf"required variable {missing} is missing a value: .{{10,}}", refused.stderr)


def test_the_example_names_what_must_be_filled_in_and_gives_none_of_it_away() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    empty = {line.removesuffix("=") for line in lines if re.fullmatch(r"\w+=", line)}
    assert empty == set(FILLED_IN)
    assert not [line for line in lines if re.fullmatch(r"\w+=.+", line)]


def test_only_this_machine_reaches_what_is_published(services: dict[str, dict[str, Any]]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}
    assert not any("ports" in services[name] for name in ("postgres", "temporal-postgres"))


def test_every_foreign_image_is_pinned_to_a_version(services: dict[str, dict[str, Any]]) -> None:
    images = {service["image"] for service in services.values() if "build" not in service}
    assert images == {
        "axllent/mailpit:v1.31.3",
        "postgres:17",
        "temporalio/admin-tools:1.32.0",
        "temporalio/server:1.32.0",
        "temporalio/ui:2.54.1",
    }


def test_nothing_of_ours_starts_before_the_schema_the_namespace_and_temporal(
    services: dict[str, dict[str, Any]],
) -> None:
    for name in ("api", "worker", "promote"):
        waits = {other: how["condition"] for other, how in services[name]["depends_on"].items()}
        assert waits == {
            "migrate": "service_completed_successfully",
            "temporal": "service_healthy",
            "temporal-namespace": "service_completed_successfully",
        }
    assert services["temporal"]["depends_on"]["temporal-schema"]["condition"] == "service_completed_successfully"


def test_what_runs_for_long_is_watched_and_started_again(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if service["restart"] == "unless-stopped" and name != "temporal-ui":
            assert "healthcheck" in service, name


def test_a_worker_is_given_longer_to_stop_than_its_longest_send(services: dict[str, dict[str, Any]]) -> None:
    from tabiji.journey.calls import EFFECT_TIMEOUT

    given = re.fullmatch(r"(?:(\d+)m)?(\d+)s", services["worker"]["stop_grace_period"])
    assert given
    assert int(given[1] or 0) * 60 + int(given[2]) > EFFECT_TIMEOUT.total_seconds() + 5


def test_our_containers_write_nothing_and_hold_no_rights(services: dict[str, dict[str, Any]]) -> None:
    for service in ours(services).values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_two_versions_run_side_by_side_where_somebody_asks_for_it(services: dict[str, dict[str, Any]]) -> None:
    """The same work with the same settings, from two images. The one before is never built anew from what is here."""
    assert "worker-previous" not in services
    both = composed("--profile", "previous")
    new, old = both["worker"], both["worker-previous"]
    assert (new["image"], old["image"]) == ("tabiji:local", "tabiji:previous")
    assert "build" not in old
    assert {field for field in {*new, *old} if new.get(field) != old.get(field)} == {"build", "image", "profiles"}
    # What a version is called is read from its code: one setting for both would make one version of them.
    assert "TABIJI_BUILD_ID" not in new["environment"]


def test_their_settings_pass_validation(
    services: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known = {f"TABIJI_{name.upper()}" for name in settings.Settings.model_fields}
    for service in ours(services).values():
        with monkeypatch.context() as inside:
            for name, value in service["environment"].items():
                inside.setenv(name, value)
            assert settings.load().environment == "production"
        assert set(service["environment"]) <= known


def test_their_commands_are_commands_of_tabiji(services: dict[str, dict[str, Any]]) -> None:
    assert {name: service["command"] for name, service in ours(services).items()} == {
        "api": ["api"],
        "worker": ["worker"],
        "promote": ["versions", "--promote", "here"],
        "migrate": ["migrate"],
    }
    from typer.main import get_command

    from tabiji.cli import app

    commands = cast("Any", get_command(app)).commands
    assert {"api", "worker", "migrate", "versions"} <= set(commands)


def test_every_file_that_is_mounted_is_there(services: dict[str, dict[str, Any]]) -> None:
    mounted = [volume for service in services.values() for volume in service.get("volumes", [])]
    files = [Path(volume["source"]) for volume in mounted if volume["type"] == "bind"]
    assert files
    assert all(file.exists() for file in files)


@pytest.mark.parametrize("file", ["Dockerfile", "tabiji/_project/Dockerfile.tmpl"])
def test_the_image_copies_what_exists_runs_as_a_plain_user_and_checks_hashes(file: str) -> None:
    text = (ROOT / file).read_text()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, flags=re.MULTILINE):
        for source in line.split()[:-1]:
            if "*" not in source:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in ignored, source
    assert re.findall(r"^USER (\d+)$", text, flags=re.MULTILINE) == ["10001"]
    assert "--require-hashes" in text


@pytest.mark.parametrize("script", sorted((ROOT / "deploy").rglob("*.sh")), ids=lambda path: cast("Path", path).name)
def test_the_scripts_are_plain_sh(script: Path) -> None:
    """The images they run in have busybox and no bash."""
    assert subprocess.run([shutil.which("dash") or "sh", "-n", script], check=False).returncode == 0
