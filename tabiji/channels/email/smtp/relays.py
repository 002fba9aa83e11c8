"""The carrier of mails: signs, keeps to the rates, and finds a relay that takes them.

Which relay: those of the lowest order that are well, in turn by weight. One that is down, will not have us or has
trouble of its own is left alone for a while, and the message goes to the next at once, as long as it has not been
promised to anybody. What a relay refuses about the *message* is the answer: asking another would not change it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import structlog

from tabiji.channels.carrier import CarrierError, Lane, PermanentFailure, Taken, TemporaryFailure, Unclear
from tabiji.channels.email.compose import Mail
from tabiji.channels.email.smtp.answers import read
from tabiji.channels.email.smtp.line import Broken, Endpoint, Refused, Security, Talk, whole_lines
from tabiji.channels.email.smtp.queueing import Rates
from tabiji.channels.email.smtp.relay import HESITATION, Health, Relay, Route, Tally
from tabiji.domain.bounces import Kind

log = structlog.stdlib.get_logger(__name__)


class Signs(Protocol):
    """Puts a signature on a message."""

    def sign(self, content: bytes, /) -> bytes:
        """The whole message, signed."""
        ...


class Relays:
    """Carries mails. Belongs to one event loop."""

    def __init__(self, routes: Sequence[Route], *, rates: Rates | None = None, signer: Signs | None = None) -> None:
        """No connection is made yet.

        Args:
            routes: At least one.
            rates: Of all of them together, in this process.
            signer: Signs each message; None: the relay does, or nobody.
        """
        self._relays = [Relay(route) for route in routes]
        self._turns = _Turns(self._relays)
        self._rates = rates or Rates()
        self._signer = signer

    async def send(
        self,
        mail: Mail,
        *,
        within: timedelta,
        before_data: Callable[[], Awaitable[None]] | None = None,
        lane: Lane = "journey",
    ) -> Taken:
        """Hand one message over.

        Args:
            mail: What, from whom, to whom.
            within: Time for all of it, waiting for a rate and for a free connection included.
            before_data: Awaited when a relay has taken sender and recipient, before the message itself goes
                out. What it raises stops the sending.
            lane: Whom it may overtake where mails wait.

        Raises:
            PermanentFailure: 5yz about this message or address.
            TemporaryFailure: 4yz, no relay to be had, the rate is used up for longer, or it broke or the time was up
                before the message went out.
            Unclear: It broke, or the time was up, after that.
        """
        talk = Talk(mail, before_data)
        try:
            async with asyncio.timeout(within.total_seconds()):
                await self._rates.turn(mail.recipient, lane)
                if self._signer is not None:
                    talk.mail = replace(mail, content=self._signer.sign(whole_lines(mail.content)))
                return await self._by_some(talk, lane)
        except TimeoutError:
            raise _broken(talk, "the relay took too long") from None

    async def close(self) -> None:
        """Take leave of the relays."""
        await asyncio.gather(*(relay.close() for relay in self._relays))

    def states(self) -> dict[str, Health]:
        """How each relay is, by name."""
        return {relay.route.name: relay.health for relay in self._relays}

    def tallies(self) -> dict[str, Tally]:
        """What became of the mails each was asked to take, by name."""
        return {relay.route.name: relay.tally for relay in self._relays}

    async def _by_some(self, talk: Talk, lane: Lane) -> Taken:
        failure: TemporaryFailure | None = None
        asked: set[str] = set()
        while (relay := self._turns.next(asked)) is not None:
            asked.add(relay.route.name)
            try:
                return await self._by(relay, talk, lane)
            except _AskAnother as another:
                failure = another.failure
        raise failure or self._all_rest()

    async def _by(self, relay: Relay, talk: Talk, lane: Lane) -> Taken:
        if relay.rate is not None:
            await relay.rate.turn(lane)
        relay.health.ask()
        try:
            taken = await relay.carry(talk, lane)
        except Refused as refusal:
            raise _refused(relay, refusal, talk) from None
        except Broken as broken:
            relay.health.failed()
            relay.tally.broken += not broken.ours
            if broken.ours:
                relay.tally.ours += 1
                log.error("relay.refuses_us", relay=relay.route.name, problem=str(broken))
            if talk.promised:
                raise _broken(talk, str(broken)) from None
            raise _AskAnother(TemporaryFailure(str(broken), Kind.POLICY)) from None
        except asyncio.CancelledError:
            if _hesitated(talk):
                relay.health.failed()
            raise
        finally:
            relay.health.left()
        relay.health.well()
        relay.tally.taken += 1
        return taken

    def _all_rest(self) -> TemporaryFailure:
        rests = [rest for relay in self._relays if (rest := relay.health.rests) is not None]
        what = "the relay is" if len(self._relays) == 1 else "all relays are"
        return TemporaryFailure(
            f"{what} left alone for a while: no answer lately", Kind.POLICY, after=min(rests, default=None)
        )


class SmtpRelay(Relays):
    """One relay, without rates or signature: for who wants no more."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        username: str | None = None,
        password: str | None = None,
        security: Security = "none",
        connections: int = 4,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """See `Endpoint` and `Route`."""
        endpoint = Endpoint(host=host, port=port, username=username, password=password, security=security, tls=tls)
        super().__init__([Route(name=f"{host}:{port}", endpoint=endpoint, connections=connections)])


class _AskAnother(Exception):
    """This relay cannot now; nothing has been promised."""

    def __init__(self, failure: TemporaryFailure) -> None:
        super().__init__(str(failure))
        self.failure = failure


class _Turns:
    """Deals messages out by weight, evenly: no relay gets a burst."""

    def __init__(self, relays: Sequence[Relay]) -> None:
        self._relays = relays
        self._credit = {relay.route.name: 0.0 for relay in relays}

    def next(self, without: set[str]) -> Relay | None:
        """Whose turn it is among those that are well, of the lowest order that has one."""
        able = [one for one in self._relays if one.route.name not in without and one.health.may_be_asked]
        if not able:
            return None
        first = min(relay.route.order for relay in able)
        ranked = [relay for relay in able if relay.route.order == first]
        for relay in ranked:
            self._credit[relay.route.name] += relay.route.weight
        chosen = max(ranked, key=lambda relay: self._credit[relay.route.name])
        self._credit[chosen.route.name] -= sum(relay.route.weight for relay in ranked)
        return chosen


def _refused(relay: Relay, refusal: Refused, talk: Talk) -> CarrierError | _AskAnother:
    verdict, said = read(refusal.stage, refusal.reply), refusal.reply.said
    relay.tally.refused += verdict.outcome == "permanent"
    relay.tally.later += verdict.outcome == "temporary" and not verdict.ours
    if verdict.ours:
        relay.tally.ours += 1
        log.error("relay.refuses_us", relay=relay.route.name, problem=said, stage=refusal.stage)
    if verdict.relay:
        relay.health.failed()
        text = f"the relay does not let us in: {said}" if refusal.stage == "connect" else said
        failure = TemporaryFailure(text, Kind.POLICY)
        return failure if talk.promised else _AskAnother(failure)
    relay.health.well()
    match verdict.outcome:
        case "permanent":
            return PermanentFailure(said, verdict.kind)
        case "temporary":
            return TemporaryFailure(said, verdict.kind)
        case "nonsense":
            return Unclear(said) if talk.promised else TemporaryFailure(said)


def _hesitated(talk: Talk) -> bool:
    now = asyncio.get_running_loop().time()
    return talk.since is not None and now - talk.since > HESITATION.total_seconds()


def _broken(talk: Talk, what: str) -> CarrierError:
    return Unclear(f"{what} while it took the message") if talk.promised else TemporaryFailure(what, Kind.POLICY)
