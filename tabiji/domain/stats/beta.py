"""The beta distribution: what is believed of a rate after counting.

Formulas: NIST Digital Library of Mathematical Functions, 8.17 (incomplete beta function; its continued fraction is
8.17.22). Errors are below 1e-9 for counts up to ten million; tests hold it against SciPy's figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_TINY = 1e-300
_CLOSE = 1e-13
_MOST_TERMS = 20_000


def log_beta(a: float, b: float) -> float:
    """Logarithm of the complete beta function."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


@dataclass(frozen=True, slots=True)
class Beta:
    """A rate of which `a - 1` successes and `b - 1` failures have been seen, before which all rates were as likely."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        """The expected rate."""
        return self.a / (self.a + self.b)

    @property
    def deviation(self) -> float:
        """The standard deviation."""
        total = self.a + self.b
        return math.sqrt(self.a * self.b / (total * total * (total + 1)))

    def density(self, x: float) -> float:
        """How likely rates around `x` are. `a` and `b` are 1 or more."""
        if x <= 0:
            return self.b if self.a == 1 else 0.0
        if x >= 1:
            return self.a if self.b == 1 else 0.0
        log = (self.a - 1) * math.log(x) + (self.b - 1) * math.log1p(-x) - log_beta(self.a, self.b)
        return math.exp(log)

    def below(self, x: float) -> float:
        """The probability that the rate is `x` or less."""
        if x <= 0:
            return 0.0
        if x >= 1:
            return 1.0
        log = self.a * math.log(x) + self.b * math.log1p(-x) - log_beta(self.a, self.b)
        # The fraction converges fast on this side of the mean; the other side is its mirror.
        if x < (self.a + 1) / (self.a + self.b + 2):
            return min(1.0, math.exp(log) * _fraction(self.a, self.b, x) / self.a)
        return max(0.0, 1 - math.exp(log) * _fraction(self.b, self.a, 1 - x) / self.b)

    def quantile(self, share: float) -> float:
        """The rate below which this much of the probability lies, to within 1e-12."""
        low, high = 0.0, 1.0
        while high - low > 1e-12:
            middle = (low + high) / 2
            low, high = (middle, high) if self.below(middle) < share else (low, middle)
        return (low + high) / 2


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction, evaluated from the front by Lentz's method."""
    c, d = 1.0, _safe(1 - (a + b) * x / (a + 1))
    d = 1 / d
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _safe(1 + term * d)
            c = _safe(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value


def _safe(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
