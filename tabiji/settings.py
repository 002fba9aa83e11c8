"""Settings: built once at the edge and handed on. Nothing else reads the environment.

Every name takes the prefix `TABIJI_` and may stand in `.env`, or in the file that `TABIJI_ENV_FILE` names
(empty: in none).
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64decode
from datetime import time, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tabiji.domain.calendar import DAYS
from tabiji.domain.caps import Caps
from tabiji.domain.holidays import is_country
from tabiji.domain.launch import Launch
from tabiji.domain.relays import RelaySettings
from tabiji.errors import ConfigurationError

_OURS = ("public_url", "mail_from", "sales_email", "postal_address")
"""Their defaults are of a desk: in a real mail they would be a dead way out and somebody else's name."""
_DEPLOYMENT = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$"
_BUILD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:]+\](:\d+)?")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class Settings(BaseSettings):
    """One process's settings."""

    model_config = SettingsConfigDict(env_prefix="TABIJI_", env_file=".env", extra="ignore", frozen=True)

    environment: Literal["desk", "production"] = Field(
        default="desk", description="production refuses secrets and addresses that are only fit for a desk"
    )
    data: Path = Field(default=Path(".tabiji"), description="folder for what the desk stack keeps")

    # Database
    database_url: str | None = Field(
        default=None,
        description="postgresql://… or sqlite:///file; absent: an SQLite file in the data folder",
    )
    database_pool: int = Field(default=10, ge=1, le=200, description="connections a process may open")

    # Temporal
    temporal_address: str = Field(default="127.0.0.1:7233", description="host:port of the frontend")
    temporal_namespace: str = Field(default="default", description="the namespace journeys live in")
    temporal_api_key: SecretStr | None = Field(default=None, description="Temporal Cloud; turns TLS on")
    temporal_tls: bool = Field(default=False, description="TLS without a client certificate")
    temporal_tls_cert: Path | None = Field(default=None, description="client certificate for mTLS, PEM")
    temporal_tls_key: Path | None = Field(default=None, description="its key, PEM")
    temporal_tls_ca: Path | None = Field(default=None, description="the server's authority, PEM, if not a public one")
    temporal_ui: str = Field(default="http://127.0.0.1:8233", description="where links into the Temporal UI lead")
    task_queue: str = Field(default="tabiji", description="the queue journeys and activities are handed out on")
    deployment: str = Field(
        default="tabiji",
        pattern=_DEPLOYMENT,
        description="name under which Temporal keeps the versions of the workers' code",
    )
    build_id: str | None = Field(
        default=None,
        description="version of the code a worker runs; absent: `desk` at a desk, else made from the journeys' source",
    )
    retention: timedelta = Field(
        default=timedelta(days=90), description="how long the namespace keeps ended journeys; ISO 8601, e.g. P90D"
    )

    # HTTP
    api_host: str = Field(default="127.0.0.1", description="what the API listens on; 0.0.0.0: every address")
    api_port: int = Field(default=8000, ge=1, le=65535, description="its port")
    public_url: str = Field(
        default="http://127.0.0.1:8000", description="where people reach pixel, click and unsubscribe pages"
    )
    api_key: SecretStr | None = Field(
        default=None, description="admin key the command line shows the API; absent: the desk's own"
    )
    key_rate: float = Field(
        default=20_000, ge=1, le=10_000_000, description="events a second one key may send, in each API process"
    )
    address_rate: float = Field(
        default=50,
        ge=1,
        le=10_000_000,
        description="events of a browser key, or forms and pages, that one client address may ask for in a second",
    )
    proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="addresses or networks of your own proxies, whose X-Forwarded-For counts: 10.0.0.0/8,127.0.0.1",
    )
    secret: SecretStr | None = Field(default=None, description="signs links in mails; at least 32 characters")

    # Mail
    smtp_host: str = Field(default="127.0.0.1", description="the relay mails go out through")
    smtp_port: int = Field(default=1025, ge=1, le=65535, description="its port")
    smtp_username: str | None = Field(default=None, description="for relays that want a login")
    smtp_password: SecretStr | None = Field(default=None, description="its password")
    smtp_security: Literal["none", "starttls", "tls"] = Field(default="none", description="how the relay is spoken to")
    smtp_connections: int = Field(default=4, ge=1, le=64, description="open at once, per worker")
    smtp_idle: timedelta = Field(
        default=timedelta(seconds=30),
        gt=timedelta(0),
        le=timedelta(minutes=10),
        description="a connection nobody has needed for so long is closed; ISO 8601, e.g. PT30S",
    )
    smtp_ca: Path | None = Field(default=None, description="a relay's authority, PEM, if not a public one")
    relays: Annotated[tuple[RelaySettings, ...], NoDecode] = Field(
        default=(),
        description="several relays instead of the one, as JSON: who is down is left out for a while. "
        '[{"name": "main", "host": "smtp.example.com", "weight": 3}, {"host": "smtp.example.net", "order": 2}]; '
        "docs/send-mail-well.md",
    )
    send_rate: float | None = Field(default=None, gt=0, description="mails a second, in each worker; absent: no bound")
    domain_rates: Annotated[dict[str, float], NoDecode] = Field(
        default_factory=dict,
        description="mails a second to a domain, in each worker, as JSON; several with spaces share a rate, *: each "
        'other one: {"gmail.com": 20, "outlook.com hotmail.com": 10, "*": 50}',
    )
    dkim_domain: str | None = Field(
        default=None, description="whose signature mails carry; absent: the sender's domain"
    )
    dkim_selector: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="name of its key in the DNS; several with commas, one for each key"
    )
    dkim_key: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(), description="file of the private key, PEM; `tabiji mail key` makes one; absent: nothing is signed"
    )
    smtp_catches_all: bool = Field(
        default=False,
        description="the relay delivers to nobody (an inbox for tests): test contacts may be mailed through it",
    )
    mail_from: str = Field(default="tabiji <hello@example.com>", description="sender of mails to contacts")
    sales_email: str = Field(default="sales@example.com", description="who hears of hot leads")
    teams: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description='who is told and asked, by the names authors use, as JSON: {"support": "support@example.com"}',
    )
    postal_address: str = Field(
        default="Example Inc., 1 Example Street", description="stands at the foot of every mail, as the law asks"
    )
    templates: Path = Field(default=Path("templates"), description="folder of templates; mails are in its email/")

    # Mail that comes back, and answers
    return_domain: str | None = Field(
        default=None,
        description="domain of our own that mail comes back to and answers go to: its MX leads to `tabiji inbound`; "
        "absent: both go to the sender",
    )
    inbound_host: str = Field(default="127.0.0.1", description="what `tabiji inbound` listens on; 0.0.0.0: everything")
    inbound_port: int = Field(default=2525, ge=1, le=65535, description="its port; 25, or what a relay hands over to")
    inbound_largest: int = Field(
        default=10 << 20, ge=64 << 10, le=100 << 20, description="bytes of the largest mail it takes"
    )
    inbound_tls_cert: Path | None = Field(default=None, description="certificate for STARTTLS there, PEM")
    inbound_tls_key: Path | None = Field(default=None, description="its key, PEM")
    soft_bounces: int = Field(
        default=5, ge=1, le=100, description="so many messages in a row that came back for now suppress an address"
    )
    soft_bounces_within: timedelta = Field(
        default=timedelta(days=30), gt=timedelta(0), description="sent in this time; ISO 8601, e.g. P30D"
    )
    soft_bounces_last: timedelta = Field(
        default=timedelta(days=30), gt=timedelta(0), description="for so long; then it is tried again"
    )
    reply_pause: timedelta = Field(
        default=timedelta(days=7),
        ge=timedelta(0),
        description="who answers a mail gets no marketing until the task is done, for so long at most; PT0S: never",
    )
    reply_team: str = Field(default="sales", description="who is given answers: a team of TABIJI_TEAMS, or sales")

    # Forms
    assets: Path = Field(default=Path("assets"), description="folder of the files that forms hand out")
    form_fill_time: timedelta | None = Field(
        default=None,
        ge=timedelta(0),
        le=timedelta(minutes=1),
        description="who sends a form sooner after opening it is asked to look it over once more; absent: no time at "
        "a desk, two seconds in production; ISO 8601, e.g. PT2S",
    )

    # Sites
    sites: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="hosts of your own pages, www.example.com or host:port: links in mails that lead there tell "
        "the script on them who comes",
    )

    # Opens and clicks
    track_opens: bool = Field(default=True, description="mails carry a pixel that tells when they are opened")
    track_clicks: bool = Field(default=True, description="links in mails lead through a counter of clicks")
    utm_source: str | None = Field(
        default=None, max_length=100, description="added to links as utm_source, with the others; absent: none is added"
    )
    utm_sites: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="hosts whose links get it; absent: those of TABIJI_SITES; *: every one"
    )
    click_hold: timedelta | None = Field(
        default=None,
        ge=timedelta(0),
        le=timedelta(minutes=1),
        description="a click that could be a link scanner's wakes journeys so much later, if no other link is followed "
        "meanwhile; PT0S: nothing is judged by time; absent: that at a desk, four seconds in production; ISO 8601",
    )
    scanner_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="further networks of mail filters, whose opens and clicks are no person's: 192.0.2.0/24"
    )
    carrier_secrets: Annotated[dict[str, tuple[SecretStr, ...]], NoDecode] = Field(
        default_factory=dict,
        description="what mail providers prove themselves with when they post to /v1/carriers, by provider, as JSON; "
        'several while one is exchanged: {"sendgrid": "public key", "postmark": "user:password"}; docs/carriers.md',
    )

    # Webhooks
    webhook_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="hosts of your own, called by http and at private addresses too: crm.internal, host:port",
    )
    webhook_secrets: Annotated[dict[str, SecretStr], NoDecode] = Field(
        default_factory=dict,
        description='what requests are signed with, by host, as JSON: {"crm.example.com": "whsec_…"}',
    )

    hook_secrets: Annotated[dict[str, tuple[SecretStr, ...]], NoDecode] = Field(
        default_factory=dict,
        description="what those who post to /v1/hooks sign with, by source, as JSON; several while one is exchanged: "
        '{"shopify": "…", "crm": ["new", "old"]}',
    )
    hook_senders: Annotated[dict[str, tuple[str, ...]], NoDecode] = Field(
        default_factory=dict,
        description='whose events a source may bring, as JSON; absent: everybody who signs: {"shopify": '
        '["my-shop.myshopify.com"]}',
    )

    # When people may be mailed
    timezone: str = Field(default="UTC", description="zone of contacts whose own is unknown")
    quiet_hours: str | None = Field(default=None, description="HH:MM-HH:MM in the contact's zone; may span midnight")
    quiet_days: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="days on which nobody is mailed, on the contact's clock: saturday,sunday"
    )
    holidays: bool = Field(
        default=False,
        description="nobody is mailed on a public holiday of their country: the attribute country (JP, US-CA), else "
        "the region of their locale, else TABIJI_COUNTRY",
    )
    country: str | None = Field(default=None, description="of contacts whose own is unknown, for holidays; ISO 3166")
    caps: Annotated[Caps, NoDecode] = Field(
        default=Caps(),
        description="how many mails a person gets at most in a rolling window, over all journeys, channels and "
        "broadcasts; then by topic: 2 per 1d, 6 per 7d; newsletter: 1 per 7d",
    )

    # Who gets no marketing, for comparison
    holdout: float = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="this share of people gets no marketing at all, so that it can be seen what marketing brings; 0.05",
    )
    holdout_goal: str = Field(default="Order Completed", min_length=1, description="the event that is to come of it")
    holdout_window: timedelta = Field(
        default=timedelta(days=90), gt=timedelta(0), le=timedelta(days=366), description="how long they are followed"
    )

    # The breaker
    breaker_effects: int = Field(
        default=20,
        ge=0,
        description="so many effects of one journey on one person within an hour; with one more it is paused. 0: never",
    )
    breaker_person: int = Field(
        default=60,
        ge=0,
        description="so many effects of all journeys together; with one more the person is paused. 0: never",
    )
    breaker_entries: int = Field(
        default=1000,
        ge=0,
        description="so many people whom events and API calls enter into one journey within a minute; with one more it "
        "is paused. 0: never",
    )
    ops_email: str | None = Field(default=None, description="who is told when a breaker has paused something")
    dates_every: timedelta = Field(
        default=timedelta(minutes=15),
        ge=timedelta(minutes=1),
        le=timedelta(days=1),
        description="how often it is looked whose birthday or other date has come; ISO 8601, e.g. PT15M",
    )
    catch_up: timedelta = Field(
        default=timedelta(days=1),
        ge=timedelta(minutes=1),
        le=timedelta(days=30),
        description="how late a date or a schedule may still start a journey: after an outage, or known too late",
    )
    new_journeys: Literal["live", "draft"] | None = Field(
        default=None,
        description="what a journey is before anybody has said so; absent: live at a desk, draft in production, "
        "where merging code mails nobody",
    )
    resume_rate: float = Field(
        default=50, ge=1, le=10_000, description="enrollments a second that the end of a pause sets going again"
    )
    enter_rate: float = Field(
        default=20, ge=1, le=10_000, description="contacts a second that dates or one schedule may enter"
    )
    clock_shift: timedelta = Field(
        default=timedelta(0), description="moves journey time away from the wall clock: for rehearsals only"
    )

    crash_at: str | None = Field(
        default=None, description="for tests: where a process dies with -9, e.g. message.claimed:3; see tabiji/crash.py"
    )

    # Desk stack
    temporal_port: int = Field(default=7233, ge=1, le=65535, description="of the desk's Temporal server")
    temporal_ui_port: int = Field(default=8233, ge=1, le=65535, description="of its UI")
    inbox_port: int = Field(default=8025, ge=1, le=65535, description="web page of the local inbox")
    reload: bool = Field(default=True, description="reload worker and API when a file of the project is saved")

    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="what is logged")
    metrics_port: Annotated[int | None, NoDecode] = Field(
        default=None, description="where a worker shows its metrics; absent: nowhere"
    )

    @field_validator("metrics_port", mode="before")
    @classmethod
    def _port_or_none(cls, value: object) -> object:
        return None if value in ("", None) else int(str(value))

    @field_validator("build_id")
    @classmethod
    def _build_or_none(cls, value: str | None) -> str | None:
        if value and not _BUILD.fullmatch(value):
            raise ValueError(f"{value!r} is not of letters, digits, dots, hyphens and underscores, e.g. 2026-11-22.1")
        return value or None

    @field_validator("teams", "webhook_secrets", "domain_rates", mode="before")
    @classmethod
    def _object(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value or "{}")
        except ValueError:
            raise ValueError('is not JSON of the form {"name": "value"}') from None

    @field_validator("hook_secrets", "hook_senders", "carrier_secrets", mode="before")
    @classmethod
    def _lists(cls, value: object) -> object:
        found = cls._object(value)
        if not isinstance(found, dict):
            return found
        listed = cast("dict[str, object]", found)
        return {name: [one] if isinstance(one, str) else one for name, one in listed.items()}

    @field_validator("domain_rates")
    @classmethod
    def _positive_rates(cls, value: dict[str, float]) -> dict[str, float]:
        for domain, rate in value.items():
            if rate <= 0:
                raise ValueError(f"the rate of {domain} must be more than zero")
        return value

    @field_validator("relays", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value or "[]")
        except ValueError:
            raise ValueError('is not JSON of the form [{"host": "smtp.example.com", "port": 587}]') from None

    @field_validator("relays")
    @classmethod
    def _own_names(cls, value: tuple[RelaySettings, ...]) -> tuple[RelaySettings, ...]:
        if len({relay.known_as for relay in value}) < len(value):
            raise ValueError("two relays have the same name")
        return value

    @field_validator(
        "webhook_hosts", "proxies", "sites", "utm_sites", "scanner_networks", "dkim_selector", "dkim_key", mode="before"
    )
    @classmethod
    def _listed(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(host.strip() for host in value.split(",") if host.strip())

    @field_validator("proxies", "scanner_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            try:
                ip_network(one, strict=False)
            except ValueError:
                raise ValueError(f"{one!r} is not an address or a network, e.g. 10.0.0.0/8") from None
        return value

    @field_validator("sites")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host!r} is not a host, e.g. www.example.com or localhost:3000")
        return tuple(host.lower() for host in value)

    @field_validator("webhook_secrets")
    @classmethod
    def _signing(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for host, secret in value.items():
            try:
                long_enough = len(b64decode(secret.get_secret_value().removeprefix("whsec_") + "==")) >= 16
            except ValueError:
                long_enough = False
            if not long_enough:
                raise ValueError(f"the secret of {host} is not whsec_ and base64, e.g. from `openssl rand -base64 32`")
        return value

    @field_validator("return_domain")
    @classmethod
    def _domain_or_none(cls, value: str | None) -> str | None:
        domain = (value or "").strip().rstrip(".").lower()
        if domain and not _DOMAIN.fullmatch(domain):
            raise ValueError(f"{value!r} is not a domain, e.g. mail.example.com")
        return domain or None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is not an IANA time zone, e.g. Asia/Tokyo")
        return value

    @field_validator("quiet_hours")
    @classmethod
    def _readable_hours(cls, value: str | None) -> str | None:
        if value and not _QUIET.fullmatch(value):
            raise ValueError(f"{value!r} is not of the form HH:MM-HH:MM, e.g. 21:00-08:00")
        return value or None

    @field_validator("caps", mode="before")
    @classmethod
    def _readable_caps(cls, value: object) -> object:
        return Caps.parse(value) if isinstance(value, str) else value

    @field_validator("quiet_days", mode="before")
    @classmethod
    def _listed_days(cls, value: object) -> object:
        return cls._listed(value.lower()) if isinstance(value, str) else value

    @field_validator("quiet_days")
    @classmethod
    def _some_days(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for day in value:
            if day not in DAYS:
                raise ValueError(f"{day!r} is no day of the week, e.g. saturday,sunday")
        if len(set(value)) == len(DAYS):
            raise ValueError("all seven days are quiet: no mail that needs consent would ever go out. Leave one out")
        return value

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str | None) -> str | None:
        if value and not is_country(value):
            raise ValueError(f"{value!r} is no country whose holidays are known, e.g. JP or US-CA")
        return value or None

    @field_validator("ops_email")
    @classmethod
    def _address_or_none(cls, value: str | None) -> str | None:
        if value and "@" not in value:
            raise ValueError(f"{value!r} is not an address, e.g. ops@example.com")
        return value or None

    @field_validator("public_url", "temporal_ui")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc:
            raise ValueError(f"{value!r} is not an http(s) address, e.g. https://mail.example.com")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if (self.temporal_tls_cert is None) != (self.temporal_tls_key is None):
            raise ValueError("temporal_tls_cert and temporal_tls_key go together: set both or neither")
        if (self.inbound_tls_cert is None) != (self.inbound_tls_key is None):
            raise ValueError("inbound_tls_cert and inbound_tls_key go together: set both or neither")
        if len(self.dkim_key) != len(self.dkim_selector):
            raise ValueError("dkim_key and dkim_selector go together: one selector for each key")
        if self.secret is not None and len(self.secret.get_secret_value()) < 32:
            raise ValueError("secret must have at least 32 characters, e.g. from `openssl rand -hex 32`")
        if self.environment == "production":
            if self.secret is None:
                raise ValueError("secret must be set in production, e.g. from `openssl rand -hex 32`")
            if self.database_url is None:
                raise ValueError("database_url must be set in production, e.g. postgresql://user:password@host/tabiji")
            if missing := [name for name in _OURS if name not in self.model_fields_set]:
                raise ValueError(f"{missing[0]} must be set in production")
            if self.crash_at:
                raise ValueError("crash_at is for tests and must not be set in production")
            if self.clock_shift:
                raise ValueError("clock_shift is for rehearsals and must be zero in production")
        return self

    @property
    def mail_connections(self) -> int:
        """How many mails a worker may hand over at once."""
        return sum(relay.connections for relay in self.relays) or self.smtp_connections

    @property
    def unlaunched(self) -> Launch:
        """What a journey is before anybody has said whether it is a draft or live."""
        if self.new_journeys is not None:
            return Launch(self.new_journeys)
        return Launch.LIVE if self.environment == "desk" else Launch.DRAFT

    @property
    def least_fill_time(self) -> timedelta:
        """How long a person needs at least for a form; zero: nobody is asked."""
        if self.form_fill_time is not None:
            return self.form_fill_time
        return timedelta(seconds=2) if self.environment == "production" else timedelta(0)

    @property
    def held_clicks(self) -> timedelta:
        """How long a click is held that a program may have made; zero: nothing is judged by time."""
        if self.click_hold is not None:
            return self.click_hold
        return timedelta(seconds=4) if self.environment == "production" else timedelta(0)

    @property
    def zone(self) -> ZoneInfo:
        """Zone of contacts whose own is unknown."""
        return ZoneInfo(self.timezone)

    @property
    def quiet(self) -> tuple[time, time] | None:
        """Start and end of the quiet hours, local time."""
        found = _QUIET.fullmatch(self.quiet_hours or "")
        if not found:
            return None
        h1, m1, h2, m2 = map(int, found.groups())
        return time(h1, m1), time(h2, m2)

    @property
    def quiet_weekdays(self) -> frozenset[int]:
        """Days on which nobody is mailed; Monday is 0."""
        return frozenset(map(DAYS.index, self.quiet_days))

    @property
    def signing_secret(self) -> str:
        """What signs links in mails: the setting, or at a desk what `tabiji up` has made.

        Raises:
            ConfigurationError: There is neither.
        """
        if self.secret is not None:
            return self.secret.get_secret_value()
        try:
            return (self.data / "secret").read_text(encoding="utf-8").strip()
        except OSError:
            raise ConfigurationError(
                "TABIJI_SECRET is not set. Take one from `openssl rand -hex 32`; `tabiji up` makes one for a desk."
            ) from None

    @property
    def database(self) -> str:
        """The database's address, resolved."""
        return self.database_url or f"sqlite:///{(self.data / 'tabiji.sqlite3').resolve()}"


def load(**overrides: object) -> Settings:
    """Read the environment and `.env`.

    Raises:
        ConfigurationError: One line per setting that is wrong, with its variable's name.
    """
    try:
        file = os.environ.get("TABIJI_ENV_FILE", ".env") or None
        return Settings(_env_file=file, **overrides)  # type: ignore[arg-type, call-arg] # pydantic takes and validates them
    except ValidationError as error:
        lines = [
            f"TABIJI_{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            if problem["loc"]
            else f"TABIJI_*: {problem['msg']}"
            for problem in error.errors(include_input=False)
        ]
        raise ConfigurationError("\n".join(lines)) from None
