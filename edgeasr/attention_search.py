"""Beam search over the recogniser's attention decoder, with hints and a language model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgeasr.hints import HintState, HintTree
from edgeasr.ngram import Trigrams
from edgeasr.session import Array

__all__ = ["Candidate", "DecodeStep", "Fusion", "SearchConfig", "search"]

DecodeStep = Callable[[NDArray[np.int64], Array], tuple[Array, Array]]
"""Units int64 [beams, n], cache [beams, ...] -> log P float32 [beams, units], cache"""
_MARKS = 2  # the first units of `start` are no words


@dataclass(frozen=True, kw_only=True)
class Fusion:
    """Shallow fusion (Gulcehre et al. 2015): a language model's say in each unit."""

    model: Trigrams
    weight: float
    reward: float
    """Added for each unit, since a language model favours few"""

    def bonuses(self, history: Sequence[int], units: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return what each of `units` int64 [n] earns after `history`, float32 [n]."""
        return self.weight * self.model.log_probs(history, units) + self.reward


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """How wide and how long to search, and which units are special."""

    start: Sequence[int]
    """Units that every hypothesis begins with, not part of the result"""
    end: int
    width: int
    most_units: int
    banned: Sequence[int] = ()
    """Units that never follow"""
    starts_word: NDArray[np.bool_]
    """bool [units], True where a unit begins a word"""
    fusion: Fusion | None = None


@dataclass(frozen=True)
class Candidate:
    """A finished hypothesis."""

    units: tuple[int, ...]
    log_probs: tuple[float, ...]
    """Of each unit, then of the end"""
    bonus: float = 0.0
    """What hints and the language model added"""

    @property
    def score(self) -> float:
        """Log probability and bonus."""
        return sum(self.log_probs) + self.bonus


@dataclass(frozen=True)
class _Beam:
    candidate: Candidate = field(default_factory=lambda: Candidate((), ()))
    hint: HintState | None = None


def search(
    step: DecodeStep, cache: Array, config: SearchConfig, tree: HintTree | None
) -> list[Candidate]:
    """Return finished hypotheses, best first; at most `config.width`, at least one.

    `cache` is the empty one of one beam, [1, ...].
    """
    beams = [_Beam(hint=tree.start if tree else None)]
    log_probs, cache = step(np.array([config.start], np.int64), cache)
    finished: list[Candidate] = []
    for _ in range(config.most_units):
        grown = _grow(beams, log_probs, config, tree)
        alive = []
        for parent, beam, ended in grown:
            if ended:
                finished.append(beam.candidate)
            else:
                alive.append((parent, beam))
            if len(alive) == config.width:
                break
        if not alive or _settled(finished, alive[0][1].candidate, config.width):
            beams = []
            break
        parents = [parent for parent, _ in alive]
        beams = [beam for _, beam in alive]
        last = np.array([[beam.candidate.units[-1]] for beam in beams], np.int64)
        log_probs, cache = step(last, cache[parents])
    finished += [beam.candidate for beam in beams]  # cut at the length limit
    return sorted(finished, key=lambda found: -found.score)[: config.width]


def _settled(finished: list[Candidate], best: Candidate, width: int) -> bool:
    """Return whether no hypothesis that is still open can win: log P only falls."""
    if len(finished) < width:
        return bool(finished) and best.score < max(f.score for f in finished) - 5.0
    return best.score < max(found.score for found in finished)


def _grow(
    beams: list[_Beam], log_probs: Array, config: SearchConfig, tree: HintTree | None
) -> list[tuple[int, _Beam, bool]]:
    """Return (parent, beam, ended) of all extensions worth a look, best first."""
    log_probs[:, list(config.banned)] = -np.inf
    grown: list[tuple[int, _Beam, bool]] = []
    for parent, beam in enumerate(beams):
        row = log_probs[parent]
        most = min(2 * config.width, len(row))
        units = set(np.argpartition(row, -most)[-most:].tolist())
        if tree is not None and beam.hint is not None:
            units |= tree.likely(beam.hint, row)
        chosen = np.array(sorted(units))
        bonuses = np.zeros(len(chosen)) if config.fusion is None else config.fusion.bonuses(
            (config.end, config.end, *config.start[_MARKS:], *beam.candidate.units), chosen
        )  # fmt: skip
        grown += [
            (parent, *_extend(beam, unit, (float(row[unit]), bonus), config, tree))
            for unit, bonus in zip(chosen.tolist(), bonuses.tolist(), strict=True)
        ]
    return sorted(grown, key=lambda item: -item[1].candidate.score)


def _extend(
    beam: _Beam, unit: int, gain: tuple[float, float], config: SearchConfig, tree: HintTree | None
) -> tuple[_Beam, bool]:
    """Return the beam with `unit`, whose log probability and bonus are `gain`; True at the end."""
    (log_prob, change), old, hint = gain, beam.candidate, beam.hint
    ended = unit == config.end
    if tree is not None and hint is not None:
        if ended:
            change += tree.settle(hint)
        else:
            starts = bool(config.starts_word[unit])
            hint, earned = tree.step(hint, unit, at_word_start=starts)
            change += earned
    units = old.units if ended else (*old.units, unit)
    candidate = Candidate(units, (*old.log_probs, log_prob), old.bonus + change)
    return _Beam(candidate, hint), ended
