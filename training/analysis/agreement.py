"""Agreement at a distance: "the cat, which the dogs that ... saw feared, was"."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["DISTANCES", "UNSCORED", "Agreement", "Examples", "OneClause"]

DISTANCES = (10, 20, 30, 40, 60, 120)
UNSCORED = -100
_NOUNS = 12  # of each number
_FILLERS = 16
_SUBJECT = 2 * _NOUNS + _FILLERS  # "the next noun is a subject"
_VERB = _SUBJECT + 1  # "here stands the verb of the subject that was opened last"
_LONGEST, _DEEPEST, _BEFORE = 60, 4, 6

Words = NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """Inputs int64 [b, n] or float32 [b, n, width], targets int64 [b] or [b, n]."""

    inputs: Tensor
    targets: Tensor
    """UNSCORED where nothing is asked"""


class Agreement:
    """Each verb agrees in number with its own subject; clauses are nested (Linzen et al. 2016).

    Between a subject and its verb stand other subjects with their verbs, which come in the reverse
    order, so that up to four numbers must be kept at once, and bare nouns of either number, a
    quarter of the words, that must be ignored. A sentence begins with up to six other words: the
    first input tells nothing. Targets at the verbs: 0 singular, 1 plural.
    """

    inputs, classes, every = _VERB + 1, 2, True
    batch = 64

    def train(self, random: np.random.Generator) -> Examples:
        """Return sentences of one distance from 2 to 60 (near ones oftener), all verbs scored."""
        distance = 2 + int((_LONGEST - 1) * random.random() ** 2)
        return self._sentences(random, distance, self.batch)

    def test(self) -> dict[str, Examples]:
        """Return sentences of four clauses, one set a distance; only the last verb is scored."""
        random = np.random.default_rng(99)
        return {str(distance): self._test(random, distance) for distance in DISTANCES}

    def _test(self, random: np.random.Generator, distance: int) -> Examples:
        found = self._sentences(random, distance, 400, depth=_DEEPEST)
        found.targets[:, :-1] = UNSCORED
        return found

    def _sentences(
        self, random: np.random.Generator, distance: int, count: int, *, depth: int | None = None
    ) -> Examples:
        """Return `count` sentences with `distance` words between the first subject and its verb."""
        before = int(random.integers(_BEFORE + 1))
        words = 2 * _NOUNS + random.integers(0, _FILLERS, (count, before + distance + 3))
        bare = random.random(words.shape) < 1 / 4
        words[bare] = random.integers(0, 2 * _NOUNS, int(bare.sum()))
        targets = np.full(words.shape, UNSCORED)
        for row, verbs in zip(words, targets, strict=True):
            clauses = depth or int(random.integers(1, _DEEPEST + 1))
            _place(random, row[before:], verbs[before:], min(clauses, 1 + distance // 3))
        return Examples(torch.from_numpy(words), torch.from_numpy(targets))


class OneClause(Agreement):
    """The same with a single subject and its verb, always equally far from each other."""

    def __init__(self, distance: int) -> None:
        self._distance = distance

    def train(self, random: np.random.Generator) -> Examples:
        """Return a batch of sentences."""
        return self._sentences(random, self._distance, self.batch, depth=1)

    def test(self) -> dict[str, Examples]:
        """Return 400 sentences."""
        random = np.random.default_rng(99)
        return {"verbs": self._sentences(random, self._distance, 400, depth=1)}


def _place(random: np.random.Generator, words: Words, verbs: Words, clauses: int) -> None:
    """Write a clause over the whole of `words`, with `clauses` - 1 more within it."""
    plural = int(random.integers(2))
    words[0], words[1], words[-1] = _SUBJECT, plural * _NOUNS + random.integers(_NOUNS), _VERB
    verbs[-1] = plural
    if clauses > 1:
        spare = len(words) - 3 * clauses  # words left when all the clauses within are shortest
        left, right = np.sort(random.integers(0, spare + 1, 2))
        _place(random, words[2 + left : len(words) - 1 - (spare - right)],
               verbs[2 + left : len(words) - 1 - (spare - right)], clauses - 1)  # fmt: skip
