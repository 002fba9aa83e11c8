"""What happened to mails in the last seconds, in this process: what runs beside it is not in the database yet."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from tabiji.domain.machines import HASTE, Touch

MOST_MAILS = 10_000


@dataclass
class Lately:
    """Touches by the mail they are of."""

    most: int = MOST_MAILS
    _by_message: OrderedDict[str, list[Touch]] = field(default_factory=OrderedDict[str, list[Touch]])

    def of(self, message: str, now: datetime) -> list[Touch]:
        """Of one mail."""
        return [one for one in self._by_message.get(message, ()) if now - one.at <= 2 * HASTE]

    def note(self, message: str, touch: Touch) -> None:
        """Remember one more."""
        self._by_message[message] = [*self.of(message, touch.at), touch]
        self._by_message.move_to_end(message)
        if len(self._by_message) > self.most:
            self._by_message.popitem(last=False)
