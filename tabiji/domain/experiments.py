"""Who is in which arm of an experiment: by chance, but the same for the same person every time it is asked."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

_ONE = 2**64


def assign(experiment: str, contact_id: str, arms: Sequence[str], weights: Sequence[float]) -> str:
    """The arm of a contact who has none yet.

    Each arm gets its weight's share of many contacts. What one experiment says of a contact tells nothing about
    what another says.

    Args:
        experiment: Its name.
        contact_id: The contact.
        arms: Different from each other.
        weights: Of each arm, in the same order; any scale.

    Raises:
        ValueError: The weights do not belong to the arms, one is negative or not finite, or all are 0.
    """
    if (problem := problem_with(arms, weights)) is not None:
        raise ValueError(problem)
    digest = hashlib.sha256(f"{experiment}\n{contact_id}".encode()).digest()
    point = int.from_bytes(digest[:8]) / _ONE * sum(weights)
    for arm, weight in zip(arms, weights, strict=True):
        point -= weight
        if point < 0:
            return arm
    # Rounding only: nobody falls to an arm that nobody is to get.
    return next(arm for arm, weight in reversed(list(zip(arms, weights, strict=True))) if weight > 0)


def problem_with(arms: Sequence[str], weights: Sequence[float]) -> str | None:
    """Why nobody can be assigned to these, None when they can."""
    if not arms or len(set(arms)) != len(arms):
        return "there must be arms, each with a name of its own"
    if len(weights) != len(arms):
        return f"{len(arms)} arms need as many weights"
    if any(not math.isfinite(weight) or weight < 0 for weight in weights):
        return "a weight must be 0 or more"
    if not 0 < sum(weights) < math.inf:
        return "one of the weights must be above 0"
    return None
