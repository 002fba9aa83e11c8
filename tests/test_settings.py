"""What production refuses."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tabiji.settings import Settings

SET: dict[str, Any] = {
    "environment": "production",
    "secret": "s" * 32,
    "database_url": "postgresql://tabiji@127.0.0.1/tabiji",
    "public_url": "https://go.example.com",
    "mail_from": "Example <hello@example.com>",
    "sales_email": "sales@example.com",
    "postal_address": "Example Inc., 1 Example Street",
}


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg] # pydantic-settings takes it


@pytest.mark.parametrize("name", sorted(set(SET) - {"environment"}))
def test_production_refuses_what_only_a_desk_may_leave_open(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail with a desk's address in it has a dead way out, and the law asks for one that works."""
    monkeypatch.delenv(f"TABIJI_{name.upper()}", raising=False)
    assert settings(**SET).environment == "production"
    with pytest.raises(ValidationError, match=f"{name} must be set in production"):
        settings(**{one: value for one, value in SET.items() if one != name})
