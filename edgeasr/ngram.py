"""A trigram language model over the recogniser's units, for shallow fusion in the beam.

P(w | h) is what was counted, else the back-off weight of h times P(w | shorter h) (Katz 1987). The
file is a plain archive of arrays, in it contexts are sorted keys. In memory they are a tree: the
units that may follow a context lie together, sorted, behind the place where they begin.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeasr.errors import BundleError

__all__ = ["Trigrams"]

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
        self._bigrams, self._trigrams = arrays["bigrams"], arrays["trigrams"]
        self._unigram_backoffs = arrays["unigram_backoffs"]
        self._bigram_backoffs = arrays["bigram_backoffs"]
        units = np.uint64(len(self._unigrams))
        first, second = np.divmod(arrays["bigram_keys"], units)
        self._after_one = _Followers(np.searchsorted(first, np.arange(int(units) + 1)), second)
        contexts, third = np.divmod(arrays["trigram_keys"], units)
        # Contexts without a bigram of their own were never looked at; the exporter writes none.
        ends = np.searchsorted(contexts, arrays["bigram_keys"], side="right")
        self._after_two = _Followers(np.concatenate([[0], ends]), third)

    def log_probs(self, history: Sequence[int], units: NDArray[np.int64]) -> Logs:
        """Return log P, float32 [n], of each of `units` int64 [n] after the last two of history."""
        first, second = history[-2:]
        found = self._unigrams[units] + np.float32(self._unigram_backoffs[second])
        at, known = self._after_one.find(second, units)
        found = np.where(known, self._bigrams[at], found)
        context = self._after_one.place(first, second)
        if context is not None:
            found = found + np.float32(self._bigram_backoffs[context])
            at, known = self._after_two.find(context, units)
            found = np.where(known, self._trigrams[at], found)
        return found


class _Followers:
    """The units that follow each context."""

    def __init__(self, starts: NDArray[Any], units: NDArray[Any]) -> None:
        """Take where each context begins, and where the last ends, in `units`, sorted in each."""
        self._starts = starts.astype(np.uint32)
        self._units = units.astype(np.min_scalar_type(units.max(initial=0)))

    def place(self, context: int, unit: int) -> int | None:
        """Return the place of one unit, None when it never follows."""
        start, own = self._own(context)
        at = int(own.searchsorted(unit))
        return start + at if at < len(own) and own[at] == unit else None

    def find(
        self, context: int, units: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the place of each of `units` int64 [n], and whether it has one."""
        start, own = self._own(context)
        if not len(own):
            return np.zeros_like(units), np.zeros(len(units), np.bool_)
        at = np.minimum(own.searchsorted(units.astype(own.dtype)), len(own) - 1)
        return start + at, own[at] == units

    def _own(self, context: int) -> tuple[int, NDArray[Any]]:
        start = int(self._starts[context])
        return start, self._units[start : int(self._starts[context + 1])]
