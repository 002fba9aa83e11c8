"""Relays as settings describe them: several, with shares of the traffic and others that stand by.

TABIJI_RELAYS='[{"name": "main", "host": "smtp.example.com", "port": 587, "security": "starttls", "weight": 3},
                {"name": "spare", "host": "smtp.example.net", "port": 465, "security": "tls", "order": 2}]'
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class RelaySettings(BaseModel):
    """One of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", max_length=64, description="as reports and logs have it; absent: host and port")
    host: str = Field(min_length=1, description="its name")
    port: int = Field(default=587, ge=1, le=65535, description="its port")
    username: str | None = Field(default=None, description="for relays that want a login")
    password: SecretStr | None = Field(default=None, description="its password")
    security: Literal["none", "starttls", "tls"] = Field(default="starttls", description="how it is spoken to")
    connections: int = Field(default=4, ge=1, le=64, description="open at once, per worker")
    messages: int = Field(default=100, ge=1, description="over one connection; then a new one is opened")
    rate: float | None = Field(default=None, gt=0, description="mails a second, per worker")
    order: int = Field(default=1, ge=0, description="lower ones first; the others stand by")
    weight: float = Field(default=1.0, gt=0, description="its share among those of the same order")

    @property
    def known_as(self) -> str:
        """Its name."""
        return self.name or f"{self.host}:{self.port}"
