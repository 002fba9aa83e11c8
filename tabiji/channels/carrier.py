"""How a carrier says that a message did not get through, told apart by what may be done about it.

    CarrierError
    ├── PermanentFailure   the other side will never take this message
    ├── TemporaryFailure   it did not take it now: surely not delivered, try again
    └── Unclear            the line broke while it was taking it: delivered or not, nobody knows

Their texts carry codes alone. What the other side wrote may quote an address.
"""

from __future__ import annotations

import re

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")


class CarrierError(Exception):
    """A message did not get through, or may not have."""


class PermanentFailure(CarrierError):
    """The other side will never take this message."""


class TemporaryFailure(CarrierError):
    """It was surely not delivered, and may be later."""


class Unclear(CarrierError):
    """It may have been delivered."""


def code_and_status(code: int, text: str) -> str:
    """An SMTP reply without its prose: ``550 5.1.1``, or ``550`` where there is no enhanced status."""
    status = _STATUS.match(text)
    return f"{code} {status.group()}" if status else str(code)
