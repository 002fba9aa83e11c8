"""The rules, in the order in which they are asked; the first no is the answer.

no_address, suppressed, no_consent …   final: the mail is refused, with that reason
quiet hours, caps …                     not before T; once that is too late, refused with the same reason
"""

from __future__ import annotations

from collections.abc import Callable

from tabiji.domain.orders import SendOutcome
from tabiji.domain.sending.agreed import agreed
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.held_out import not_held_out
from tabiji.domain.sending.house import House
from tabiji.domain.sending.pace import in_time
from tabiji.domain.sending.send_time import at_its_time, from_its_time
from tabiji.domain.sending.standing import Standing
from tabiji.domain.sending.suppressed import not_suppressed

Rule = Callable[[Standing, Asked, House], SendOutcome | None]


def has_address(standing: Standing, _asked: Asked, _house: House) -> SendOutcome | None:
    """Somebody without an address is written to by nobody."""
    return None if standing.address is not None else SendOutcome(state="refused", reason="no_address")


def not_a_rehearsal(_standing: Standing, asked: Asked, house: House) -> SendOutcome | None:
    """A rehearsal mails nobody real."""
    if asked.test and not house.mails_tests:
        return SendOutcome(state="refused", reason="test_recipient_not_allowed")
    return None


def in_time_from_then(standing: Standing, asked: Asked, house: House) -> SendOutcome | None:
    """See `in_time`; the send time of an arm is no delay."""
    return in_time(standing, from_its_time(standing, asked, house), house)


RULES: tuple[Rule, ...] = (
    has_address,
    not_suppressed,
    agreed,
    not_a_rehearsal,
    not_held_out,
    at_its_time,
    in_time_from_then,
)


def decide(standing: Standing, asked: Asked, house: House) -> SendOutcome | None:
    """Decide about one message.

    Returns:
        None: send it now. Else refused with a reason, or deferred to a later journey time.
    """
    for rule in RULES:
        if (verdict := rule(standing, asked, house)) is not None:
            return verdict
    return None


def objections(standing: Standing, asked: Asked, house: House) -> list[SendOutcome]:
    """What every rule by itself has against a message, in their order. Empty: it may go out now."""
    return [verdict for rule in RULES if (verdict := rule(standing, asked, house)) is not None]
