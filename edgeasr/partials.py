"""The words so far, from the attention decoder run again over each chunk that is heard.

What two runs in a row agree on is kept for good (local agreement, Liu et al. 2020), so each run
spells only the newest words.
"""

from collections.abc import Sequence

import numpy as np

from edgeasr.session import Array, OnnxSession, Tensors

__all__ = ["PartialDecoder", "common_prefix", "decoder_memory", "most_units", "repeats"]

_FRAMES_PER_UNIT = 6  # 20 ms frames; nobody speaks faster
_SPARE_UNITS = 8
_REPEATED_UNITS = 6  # so many said once before are the start of a loop
_POSITIONS = 160  # of the decoder


class PartialDecoder:
    """Greedy hypotheses over a growing utterance."""

    def __init__(
        self, memory: OnnxSession, decoder: OnnxSession, *, start: Sequence[int], end: int
    ) -> None:
        """Take the networks and the units that every hypothesis begins with and ends with."""
        self._memory, self._decoder = memory, decoder
        self._start, self._end = list(start), end
        self._heard: Tensors = {}
        self._cache = decoder.zeros("past", beams=1, past=0)
        self._units: tuple[int, ...] = ()
        self._agreed = self._settled = 0
        """Units and frames that stay as they are"""
        self._frames = self._spelled_frames = 0
        """Heard so far, and by the last run"""

    def hear(self, states: Array, ahead: Array) -> None:
        """Take the encoder's states of one more chunk, float32 [1, n, W].

        `ahead` are those of the frames after it, float32 [1, m, W], until the next chunk.
        """
        new = decoder_memory(self._memory, np.concatenate([states, ahead], axis=1))
        heard = self._heard or {name: part[:, :, :0] for name, part in new.items()}
        self._heard = {
            name: np.concatenate([heard[name][:, :, : self._settled], new[name]], axis=2)
            for name in new
        }
        self._settled += states.shape[1]
        self._frames = self._settled + ahead.shape[1]

    def spell(self) -> tuple[int, ...]:
        """Return the most likely units of what was heard so far, without the first ones."""
        spelled, cache = self._continue()
        # The last unit may be half a word, however often it is heard.
        same = min(common_prefix(self._units, spelled), len(spelled) - 1)
        self._agreed = max(self._agreed, same)
        self._units, self._spelled_frames = spelled, self._frames
        # The last agreed unit is fed again next time, since it has to predict what follows.
        cached = len(self._start) + self._agreed - 1 if self._agreed else 0
        self._cache = cache[:, :, :cached]
        return spelled

    def _continue(self) -> tuple[tuple[int, ...], Array]:
        """Return the agreed units and the best ones after them, and the cache of all but one.

        What the last run guessed is fed at once and kept as far as it is still the best (as in
        speculative decoding, Leviathan et al. 2023); only what is new is spelled unit by unit.
        """
        units = list(self._units[: self._agreed])
        guess = list(self._units[self._agreed :])
        feed = [*(units[-1:] or self._start), *guess]
        best, cache = self._best_after(feed, self._cache)
        best = best[len(feed) - len(guess) - 1 :]
        right = common_prefix(guess, best)
        cache = cache[:, :, : cache.shape[2] - len(guess) + right]
        units, unit = units + guess[:right], best[right]
        # What goes faster than anybody speaks is not heard but guessed.
        new_frames = self._frames - self._spelled_frames
        most = max(len(units), len(self._units)) + new_frames // _FRAMES_PER_UNIT
        most = min(most, most_units(self._frames, len(self._start)))
        while unit != self._end and len(units) < most:
            units.append(unit)
            if repeats(units):
                del units[max(self._agreed, len(units) - _REPEATED_UNITS) :]
                break
            (unit,), cache = self._best_after([unit], cache)
        return tuple(units), cache

    def _best_after(self, feed: list[int], cache: Array) -> tuple[list[int], Array]:
        """Return the best unit after each that is fed, and the cache."""
        units = np.array([feed], np.int64)
        out = self._decoder.run({"units": units, "past": cache, **self._heard})
        log_probs = out["log_probs"][0]
        log_probs[:, self._start[:2]] = -np.inf
        return log_probs.argmax(axis=1).tolist(), out["now"]


def decoder_memory(memory: OnnxSession, states: Array) -> Tensors:
    """Return what the decoder takes for the encoder's states, float32 [1, n, W], by input name.

    Keys and values of each layer, float32 [1, heads, n, depth].
    """
    return {f"memory_{name}": part for name, part in memory.run({"last": states}).items()}


def most_units(frames: int, start_units: int) -> int:
    """Return how many units can follow the first ones in so many 20 ms frames."""
    return min(_SPARE_UNITS + frames // _FRAMES_PER_UNIT, _POSITIONS - start_units)


def repeats(units: Sequence[int]) -> bool:
    """Return whether the last few units have been said before."""
    last = list(units[-_REPEATED_UNITS:])
    earlier = range(len(units) - 2 * _REPEATED_UNITS + 1)
    return any(list(units[at : at + _REPEATED_UNITS]) == last for at in earlier)


def common_prefix(one: Sequence[int], two: Sequence[int]) -> int:
    """Return how many first units are the same."""
    count = 0
    for first, second in zip(one, two, strict=False):
        if first != second:
            break
        count += 1
    return count
