"""What an experiment says, in words for those who run it."""

from __future__ import annotations

from datetime import timedelta

from tabiji.domain.durations import in_words
from tabiji.domain.experiments import Winner
from tabiji.domain.sending.held_out import TREATED
from tabiji.domain.stats.sequential import Interval
from tabiji.domain.stats.verdict import Reading, Verdict


def says(reading: Reading, *, waiting: int, within: timedelta) -> str:
    """The verdict in one or two sentences."""
    people = sum(tally.people for tally in reading.tallies.values())
    match reading.verdict:
        case Verdict.NO_GOAL:
            return "Nothing can be said: this experiment has no goal."
        case Verdict.MISMATCH:
            return (
                "The arms did not get the shares of people they should have got, and by more than chance. "
                "Something treats them differently before anything is counted: do not trust these figures."
            )
        case Verdict.WINNER:
            return (
                f"{reading.winner} wins: it is proved to be better than every other arm, however often one has looked."
            )
        case Verdict.ALIKE:
            return "The arms are alike: whatever the difference is, it is less than 10 %."
        case Verdict.BANDIT:
            arm, belief = max(reading.beliefs.items(), key=lambda one: one[1].best)
            return f"A bandit gives most people to {arm}, which is the best with {belief.best:.0%}. That is no proof."
        case Verdict.NOT_ENOUGH:
            return f"Not enough data: {_so_far(people, waiting, within)}.{_more(reading)}"


def next_step(reading: Reading, *, decided: str | None, winner: Winner, kind: str = "split") -> str:
    """What to do."""
    if kind == "holdout" and reading.verdict is Verdict.WINNER:
        return (
            "Marketing brings more than none. Hold fewer people out, or nobody, when you have seen enough."
            if reading.winner == TREATED
            else "People do better without. Look at what they are sent."
        )
    if decided is not None:
        return f"Decided: whoever has no arm yet gets {decided}. Take the others out of the code when you like."
    match reading.verdict:
        case Verdict.NO_GOAL:
            return "Say what is to come of it: goal=on(…), at the split or at the journey."
        case Verdict.MISMATCH:
            return (
                "Look for an arm whose mail fails or is refused more often, mend it, and begin anew under another name."
            )
        case Verdict.WINNER if winner == "auto":
            return f"Nothing: within a minute everybody who has no arm yet gets {reading.winner}."
        case Verdict.WINNER:
            return f"Give it to everybody who has no arm yet: tabiji experiment decide NAME {reading.winner}."
        case Verdict.ALIKE:
            return "Take whichever you like better, and test something that differs more."
        case Verdict.BANDIT:
            return "Nothing: it goes on by itself. Who needs a proof tests by shares."
        case Verdict.NOT_ENOUGH:
            return "Let it run. Looking at it changes nothing."


def in_percent(uplift: Interval) -> str:
    """By how much more, for a reader: ``-3 % to +31 %``."""
    high = "…" if uplift.high == float("inf") or uplift.high > 99 else f"{uplift.high:+.0%}"
    return f"{uplift.low:+.0%} to {high}"


def _so_far(people: int, waiting: int, within: timedelta) -> str:
    more = f", {waiting} more are within their {in_words(within)}" if waiting else ""
    return f"{people} people counted{more}"


def _more(reading: Reading) -> str:
    if reading.more is None:
        converted = sum(tally.converted for tally in reading.tallies.values())
        return " Nobody has converted yet, so nobody can say how many more it takes." if not converted else ""
    if reading.more.uplift is None:
        return f" About {reading.more.people} more in each arm are asked for before anything is said."
    return (
        f" About {reading.more.people} more in each arm are needed to see an uplift of {reading.more.uplift:.0%} "
        "in four cases of five."
    )
