"""A trigram language model over the recogniser's units, for shallow fusion in the beam.

P(w | h) is what was counted, else the back-off weight of h times P(w | shorter h) (Katz 1987). The
file is a plain archive of arrays; contexts are looked up by binary search in sorted keys.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeasr.errors import BundleError

__all__ = ["Trigrams"]

Keys = NDArray[np.uint64]
Logs = NDArray[np.float32]

_ARRAYS = ("unigrams", "bigram_keys", "bigrams", "trigram_keys", "trigrams", "unigram_backoffs",
           "bigram_backoffs")  # fmt: skip


class Trigrams:
    """log P of units after two others."""

    def __init__(self, path: Path) -> None:
        """Read what `training.recogniser_lm` wrote. Raises BundleError."""
        try:
            with np.load(path, allow_pickle=False) as content:
                arrays = {name: content[name] for name in _ARRAYS}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise BundleError(f"{path} is no language model: {error}; reinstall it") from error
        self._unigrams: Logs = arrays["unigrams"].astype(np.float32)
        self._units = np.uint64(len(self._unigrams))
        self._bigram_keys, self._trigram_keys = arrays["bigram_keys"], arrays["trigram_keys"]
        self._bigrams, self._trigrams = arrays["bigrams"], arrays["trigrams"]
        self._unigram_backoffs = arrays["unigram_backoffs"]
        self._bigram_backoffs = arrays["bigram_backoffs"]

    def log_probs(self, history: Sequence[int], units: NDArray[np.int64]) -> Logs:
        """Return log P, float32 [n], of each of `units` int64 [n] after the last two of history."""
        first, second = (np.uint64(unit) for unit in history[-2:])
        wanted = units.astype(np.uint64)
        found = self._unigrams[units] + np.float32(self._unigram_backoffs[int(second)])
        at, known = _find(self._bigram_keys, second * self._units + wanted)
        found = np.where(known, self._bigrams[at], found)
        context = first * self._units + second
        where, seen = _find(self._bigram_keys, np.array([context]))
        if seen[0]:
            found = found + np.float32(self._bigram_backoffs[where[0]])
            at, known = _find(self._trigram_keys, context * self._units + wanted)
            found = np.where(known, self._trigrams[at], found)
        result: Logs = found.astype(np.float32)
        return result


def _find(keys: Keys, wanted: Keys) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return at, keys[at] == wanted
