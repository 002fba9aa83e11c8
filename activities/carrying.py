"""One claimed mail's way to the relay, and how it ended: the same for a journey's and for a broadcast's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from activities.brake import Brake
from models.ledger import Claim, Fate, Ledger
from tabiji import crash
from tabiji.channels.carrier import Held, Lane, PermanentFailure, Taken, TemporaryFailure, Unclear
from tabiji.channels.email.compose import Mail
from tabiji.domain.bounces import Kind
from tabiji.errors import ChannelDown, Paused

RESERVE = timedelta(seconds=5)
"""Of an attempt's time, what is kept for writing down how the sending ended."""
STALE = 5.0
"""Seconds after which a claim is looked at again before the message goes out: a worker that is cut off counts as dead
after ten, and another takes over."""


_AT_ONCE = timedelta(seconds=1)
PATIENCE = timedelta(hours=24)
"""How long a mail that a relay does not take now is tried again."""


class Carrier(Protocol):
    """Anything that can carry a mail. Raises the errors of `tabiji.channels.carrier`."""

    async def send(
        self,
        mail: Mail,
        *,
        within: timedelta,
        before_data: Callable[[], Awaitable[None]] | None = None,
        lane: Lane = "journey",
    ) -> Taken:
        """Hand it over; `before_data` is awaited before it may be delivered. `lane`: whom it may overtake."""
        ...


class Carrying:
    """Hands claimed mails to the carrier."""

    def __init__(self, ledger: Ledger, carrier: Carrier, brake: Brake | None = None) -> None:
        """`brake` is asked just before a mail goes out, where that is a while after its claim."""
        self._ledger = ledger
        self._carrier = carrier
        self._brake = brake

    async def carry(self, claim: Claim, mail: Mail, deadline: float, lane: Lane = "journey") -> Fate:
        """Carry one mail. What comes back is still to be written down.

        Args:
            claim: The right to send it, just got.
            mail: What to send.
            deadline: When the attempt is given up, on the loop's clock.
            lane: Whom it may overtake.

        Raises:
            Superseded: A newer attempt has taken over.
            ChannelDown: It may or may not have been taken. The claim stays as it is: the next attempt finds it and does
                what its delivery asks for.
        """
        clock = asyncio.get_running_loop().time
        claimed = clock()

        async def before_data() -> None:
            if self._brake is not None:
                await self._brake.check(claim, claimed)
            await self._ledger.on_wire(claim, stale=clock() - claimed > STALE)
            crash.point("message.on_wire")

        within = timedelta(seconds=max(deadline - claimed, 0)) - RESERVE
        try:
            taken = await self._carrier.send(mail, within=within, before_data=before_data, lane=lane)
        except PermanentFailure as failure:
            return Fate(claim=claim, state="failed", reason=str(failure), kind=failure.kind)
        except TemporaryFailure as failure:
            held = isinstance(failure, Held)
            return Fate(
                claim=claim, state="retry", reason=str(failure), kind=failure.kind, after=failure.after, held=held
            )
        except Paused:
            return Fate(claim=claim, state="retry", reason="stopped before it went out", after=_AT_ONCE)
        except Unclear as unclear:
            raise ChannelDown(f"the mail may or may not have been taken: {unclear}") from None
        crash.point("message.taken")
        return Fate(claim=claim, state="sent", reply=taken.reply, relay=taken.relay)


def in_the_end(fate: Fate, tried_for: timedelta) -> Fate:
    """A mail that was not taken now, again and again, has failed: what became of it then."""
    if fate.state != "retry" or fate.held or tried_for < PATIENCE:
        return fate
    # For now is not for good: an address that "does not exist, for now" is not given up for ever.
    kind = Kind.OTHER if fate.kind is Kind.HARD_BOUNCE else fate.kind
    hours = PATIENCE // timedelta(hours=1)
    return replace(fate, state="failed", reason=f"given up after {hours} h: {fate.reason}", kind=kind)
