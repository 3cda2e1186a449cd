"""Miss rate against false accepts per hour, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, chi2

__all__ = ["Curve", "accept_rate_interval", "miss_interval", "peaks", "threshold_at"]

Scores = NDArray[np.float32]
_LEAST = 0.02  # threshold below which a score means nothing


def peaks(scores: Scores, *, apart: int) -> list[tuple[int, float]]:
    """Return (step, score) of the accepts in a stream float32 [steps], highest first.

    An accept silences `apart` steps on both sides, as the detector's refractory time does.
    """
    order = np.argsort(-scores, kind="stable")
    free = np.ones(len(scores), bool)
    found = []
    for step in order:
        if scores[step] < 0.01:
            break
        if free[step]:
            found.append((int(step), float(scores[step])))
            free[max(0, step - apart) : step + apart + 1] = False
    return found


@dataclass(frozen=True)
class Curve:
    """One word: the best score of each recording that holds it, and of each false accept."""

    hits: Scores
    """Float32 [recordings]"""
    accepts: Scores
    """Float32 [accepts]"""
    hours: float
    """Of audio without the word"""

    def miss_at(self, accepts_per_hour: float) -> float:
        """Return the share of recordings missed at the threshold for a false-accept rate.

        Without recordings that is NaN.
        """
        if not len(self.hits):
            return float("nan")
        return float((self.hits < threshold_at(self.accepts, self.hours, accepts_per_hour)).mean())

    def table(self, rates: Sequence[float]) -> list[dict[str, float]]:
        """Return threshold and miss for each false-accept rate."""
        return [
            {
                "accepts_per_hour": rate,
                "threshold": round(threshold_at(self.accepts, self.hours, rate), 4),
                "miss": round(self.miss_at(rate), 4),
            }
            for rate in rates
        ]


def threshold_at(accepts: Scores, hours: float, accepts_per_hour: float) -> float:
    """Return the least threshold with at most that many accepts; never below 0.02."""
    allowed = int(np.floor(accepts_per_hour * hours + 1e-9))
    ordered = np.sort(accepts)[::-1]
    if allowed >= len(ordered):
        return _LEAST
    return max(_LEAST, float(ordered[allowed]) + 1e-4)


def miss_interval(missed: int, count: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share (Clopper and Pearson 1934)."""
    tail = (1 - level) / 2
    low = 0.0 if missed == 0 else float(beta.ppf(tail, missed, count - missed + 1))
    high = 1.0 if missed == count else float(beta.ppf(1 - tail, missed + 1, count - missed))
    return low, high


def accept_rate_interval(accepts: int, hours: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a rate per hour (Garwood 1936)."""
    tail = (1 - level) / 2
    low = 0.0 if accepts == 0 else float(chi2.ppf(tail, 2 * accepts)) / 2
    return low / hours, float(chi2.ppf(1 - tail, 2 * accepts + 2)) / 2 / hours
