"""The words so far, from the attention decoder run again over each chunk that is heard.

What two runs in a row agree on is kept for good (local agreement, Liu et al. 2020), so each run
spells only the newest words.
"""

from collections.abc import Sequence

import numpy as np

from edgeasr.session import Array, OnnxSession

__all__ = ["PartialDecoder", "common_prefix", "most_units", "repeats"]

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
        self._heard = {
            name: decoder.zeros(name, frames=0) for name in ("memory_keys", "memory_values")
        }
        self._keys = decoder.zeros("past_keys", beams=1, past=0)
        self._values = decoder.zeros("past_values", beams=1, past=0)
        self._units: tuple[int, ...] = ()
        self._agreed = 0

    def hear(self, states: Array) -> None:
        """Take the encoder's states of one more chunk, float32 [1, n, W]."""
        new = self._memory.run({"last": states})
        for name, part in (("memory_keys", new["keys"]), ("memory_values", new["values"])):
            self._heard[name] = np.concatenate([self._heard[name], part], axis=3)

    def spell(self) -> tuple[int, ...]:
        """Return the most likely units of what was heard so far, without the first ones."""
        spelled, keys, values = self._continue()
        # The last unit may be half a word, however often it is heard.
        same = min(common_prefix(self._units, spelled), len(spelled) - 1)
        self._agreed = max(self._agreed, same)
        self._units = spelled
        # The last agreed unit is fed again next time, since it has to predict what follows.
        cached = len(self._start) + self._agreed - 1 if self._agreed else 0
        self._keys, self._values = keys[:, :, :, :cached], values[:, :, :, :cached]
        return spelled

    def _frames(self) -> int:
        return int(self._heard["memory_keys"].shape[3])

    def _continue(self) -> tuple[tuple[int, ...], Array, Array]:
        """Return the agreed units and the best ones after them, and the caches of all but one.

        What the last run guessed is fed at once and kept as far as it is still the best (as in
        speculative decoding, Leviathan et al. 2023); only what is new is spelled unit by unit.
        """
        units = list(self._units[: self._agreed])
        guess = list(self._units[self._agreed :])
        feed = [*(units[-1:] or self._start), *guess]
        best, keys, values = self._best_after(feed, self._keys, self._values)
        best = best[len(feed) - len(guess) - 1 :]
        right = common_prefix(guess, best)
        kept = keys.shape[3] - len(guess) + right
        keys, values = keys[:, :, :, :kept], values[:, :, :, :kept]
        units, unit = units + guess[:right], best[right]
        most = most_units(self._frames(), len(self._start))
        while unit != self._end and len(units) < most:
            units.append(unit)
            if repeats(units):
                del units[max(self._agreed, len(units) - _REPEATED_UNITS) :]
                break
            (unit,), keys, values = self._best_after([unit], keys, values)
        return tuple(units), keys, values

    def _best_after(
        self, feed: list[int], keys: Array, values: Array
    ) -> tuple[list[int], Array, Array]:
        """Return the best unit after each that is fed, and the caches."""
        out = self._decoder.run(
            {"units": np.array([feed], np.int64), "past_keys": keys, "past_values": values,
             **self._heard}
        )  # fmt: skip
        log_probs = out["log_probs"][0]
        log_probs[:, self._start[:2]] = -np.inf
        return log_probs.argmax(axis=1).tolist(), out["keys"], out["values"]


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
