"""Where teams are reached: addresses from the settings."""

from __future__ import annotations

from collections.abc import Mapping

from tabiji.channels.email.compose import ascii_address
from tabiji.errors import ConfigurationError, UnknownTeam
from tabiji.settings import Settings

SALES = "sales"


class Teams:
    """Addresses by the names authors use."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = dict(addresses)

    @classmethod
    def of(cls, settings: Settings) -> Teams:
        """Take them from the settings. Sales are a team too.

        Raises:
            ConfigurationError: An address in them is none.
        """
        given = {SALES: ("TABIJI_SALES_EMAIL", settings.sales_email)}
        given |= {name: ("TABIJI_TEAMS", address) for name, address in settings.teams.items()}
        addresses: dict[str, str] = {}
        for name, (setting, address) in given.items():
            written = ascii_address(address)
            if written is None:
                raise ConfigurationError(f"{setting} must have an address such as sales@example.com for {name!r}.")
            addresses[name] = written
        return cls(addresses)

    @property
    def sales(self) -> str:
        """Who hears of hot leads."""
        return self._addresses[SALES]

    def address(self, team: str) -> str:
        """Where a team is reached.

        Raises:
            UnknownTeam: Nobody has said.
        """
        if team not in self._addresses:
            raise UnknownTeam(team, tuple(sorted(self._addresses)))
        return self._addresses[team]
