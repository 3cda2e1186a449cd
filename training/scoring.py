"""Word and character error rates with bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = [
    "Errors",
    "character_errors",
    "edit_distance",
    "interval",
    "is_usable",
    "word_errors",
]


@dataclass(frozen=True)
class Errors:
    """Counts of each utterance."""

    wrong: tuple[int, ...]
    """Substitutions, insertions and deletions"""
    total: tuple[int, ...]
    """Words or characters of the reference"""

    @property
    def rate(self) -> float:
        """Errors by reference length over all utterances."""
        return sum(self.wrong) / max(1, sum(self.total))


def edit_distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Return the least count of substitutions, insertions and deletions (Levenshtein 1966)."""
    row = list(range(len(hypothesis) + 1))
    for number, expected in enumerate(reference, 1):
        above, row[0] = row[0], number
        for at, said in enumerate(hypothesis, 1):
            above, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, above + (expected != said))
    return row[-1]


def is_usable(wrong: int, words: int) -> bool:
    """Return whether at most a third of the words is wrong, which the confidence estimates."""
    return words > 0 and 3 * wrong <= words


def word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> Errors:
    """Count wrong words, utterance by utterance."""
    return _errors([text.split() for text in references], [text.split() for text in hypotheses])


def character_errors(references: Sequence[str], hypotheses: Sequence[str]) -> Errors:
    """Count wrong characters, utterance by utterance."""
    return _errors([list(text) for text in references], [list(text) for text in hypotheses])


def interval(errors: Errors, *, rounds: int = 1000, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the rate, utterances drawn anew (Bisani, Ney 2004)."""
    rng = np.random.default_rng(seed)
    wrong, total = np.array(errors.wrong), np.array(errors.total)
    picks = rng.integers(len(wrong), size=(rounds, len(wrong)))
    rates = wrong[picks].sum(1) / np.maximum(1, total[picks].sum(1))
    low, high = np.percentile(rates, [2.5, 97.5])
    return float(low), float(high)


def _errors(references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]) -> Errors:
    pairs = list(zip(references, hypotheses, strict=True))
    return Errors(
        tuple(edit_distance(expected, said) for expected, said in pairs),
        tuple(len(expected) for expected, _ in pairs),
    )
