"""Connectionist temporal classification (Graves et al. 2006): prefix beam search and alignment.

Unit 0 is the blank. Log probabilities are natural logarithms, float32 [steps, units].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["Prefix", "PrefixBeam", "align", "label_score"]

LogProbs = NDArray[np.float32]
_NEVER = -1e30
_SKIP_BLANK = np.log(0.98)  # steps that are surely blank extend no prefix


@dataclass(frozen=True)
class Prefix:
    """A unit sequence and where each unit was first likely."""

    units: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()


class PrefixBeam:
    """Streaming prefix beam search (Hannun et al. 2014): sums over the paths of each prefix."""

    def __init__(self, *, width: int = 5, units_per_step: int = 6) -> None:
        self._width, self._per_step = width, units_per_step
        self._at = 0
        self._beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, _NEVER)}
        self._steps: dict[tuple[int, ...], tuple[int, ...]] = {(): ()}

    def push(self, log_probs: LogProbs) -> None:
        """Advance by float32 [steps, units]."""
        for row in log_probs:
            if row[0] > _SKIP_BLANK:
                self._blank(float(row[0]))
            else:
                self._step(row)
            self._at += 1

    def best(self) -> Prefix:
        """Return the most probable prefix so far."""
        return self.n_best()[0][0]

    def n_best(self) -> list[tuple[Prefix, float]]:
        """Return the prefixes with their log probabilities, best first."""
        scored = [
            (Prefix(units, self._steps[units]), _add(*ends)) for units, ends in self._beams.items()
        ]
        return sorted(scored, key=lambda pair: -pair[1])

    def _blank(self, log_prob: float) -> None:
        self._beams = {
            units: (_add(*ends) + log_prob, _NEVER) for units, ends in self._beams.items()
        }

    def _step(self, row: NDArray[np.float32]) -> None:
        most = min(self._per_step, len(row))
        likely = np.argpartition(row, -most)[-most:].tolist()
        after: dict[tuple[int, ...], list[float]] = {}
        for units, (blank, label) in self._beams.items():
            both = _add(blank, label)
            own = after.setdefault(units, [_NEVER, _NEVER])
            own[0] = _add(own[0], both + float(row[0]))
            if units:
                own[1] = _add(own[1], label + float(row[units[-1]]))
            for unit in likely:
                if unit == 0:
                    continue
                longer = (*units, unit)
                # After the same unit only a blank makes a new one.
                source = blank if units and unit == units[-1] else both
                ends = after.setdefault(longer, [_NEVER, _NEVER])
                ends[1] = _add(ends[1], source + float(row[unit]))
                if longer not in self._steps:
                    self._steps[longer] = (*self._steps[units], self._at)
        kept = sorted(after, key=lambda units: -_add(*after[units]))[: self._width]
        self._beams = {units: (after[units][0], after[units][1]) for units in kept}
        self._steps = {units: self._steps[units] for units in kept}


def label_score(log_probs: LogProbs, labels: Sequence[int]) -> float:
    """Return log P(labels | log_probs), summed over all alignments (forward algorithm)."""
    extended, skips = _extend(labels)
    alpha = np.full(len(extended), _NEVER)
    alpha[:2] = log_probs[0, extended[:2]]
    for row in log_probs[1:]:
        alpha = _advance(alpha, skips, np.logaddexp) + row[extended]
    return float(np.logaddexp.reduce(alpha[-2:]))


def align(log_probs: LogProbs, labels: Sequence[int]) -> list[tuple[int, int]]:
    """Return first and last step of each label on the best path (Viterbi).

    Raises ValueError when there are fewer steps than the labels need.
    """
    needed = len(labels) + sum(one == two for one, two in pairwise(labels))
    if len(log_probs) < needed:
        raise ValueError(f"{len(labels)} labels do not fit in {len(log_probs)} steps")
    if not labels:
        return []
    extended, skips = _extend(labels)
    score = np.full(len(extended), _NEVER)
    score[:2] = log_probs[0, extended[:2]]
    came = np.zeros((len(log_probs), len(extended)), np.int8)
    for at, row in enumerate(log_probs[1:], 1):
        stay, move, skip = _sources(score, skips)
        choices = np.stack([stay, move, skip])
        came[at] = choices.argmax(axis=0)
        score = choices.max(axis=0) + row[extended]
    state = len(extended) - 1 if score[-1] >= score[-2] else len(extended) - 2
    spans: list[list[int]] = [[0, 0] for _ in labels]
    for at in range(len(log_probs) - 1, -1, -1):
        if state % 2:
            span = spans[state // 2]
            span[0] = at
            span[1] = span[1] or at
        state -= int(came[at, state])
    return [(first, last) for first, last in spans]


def _extend(labels: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Put blanks between; True where a state may be reached over the blank before it."""
    extended = np.zeros(2 * len(labels) + 1, np.int64)
    extended[1::2] = labels
    skips = np.zeros(len(extended), np.bool_)
    skips[3::2] = extended[3::2] != extended[1:-2:2]
    return extended, skips


def _sources(
    score: NDArray[np.float64], skips: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    move = np.concatenate([[_NEVER], score[:-1]])
    skip = np.where(skips, np.concatenate([[_NEVER, _NEVER], score])[: len(score)], _NEVER)
    return score, move, skip


def _advance(
    score: NDArray[np.float64], skips: NDArray[np.bool_], join: np.ufunc
) -> NDArray[np.float64]:
    stay, move, skip = _sources(score, skips)
    joined: NDArray[np.float64] = join(join(stay, move), skip)
    return joined


def _add(one: float, two: float) -> float:
    """Return log(exp(one) + exp(two))."""
    high, low = (one, two) if one > two else (two, one)
    return high if low <= _NEVER / 2 else high + float(np.log1p(np.exp(low - high)))
