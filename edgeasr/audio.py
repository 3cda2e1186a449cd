"""The facts about PCM that everything shares, and the one place that re-cuts it into blocks."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeasr.errors import AudioError

__all__ = ["BLOCK_SAMPLES", "SAMPLE_RATE", "VAD_SAMPLES", "Pcm", "Reblocker", "to_int16"]

SAMPLE_RATE = 16_000  # Hz
VAD_SAMPLES = 160  # 10 ms, what the speech detector takes and one hop of the features
BLOCK_SAMPLES = 8 * VAD_SAMPLES  # 80 ms, one step of the pipeline

Pcm = NDArray[np.int16]


def to_int16(samples: NDArray[Any]) -> Pcm:
    """Return PCM as int16 [n]; floats in [-1, 1] are scaled by 32768 and clipped.

    Raises AudioError for NaN or infinite samples and for any other dtype.
    """
    if samples.dtype == np.int16:
        return samples  # already PCM
    if not np.issubdtype(samples.dtype, np.floating):
        raise AudioError(f"samples are {samples.dtype}; give int16, or floats in [-1, 1]")
    if not np.isfinite(samples).all():
        raise AudioError("audio holds NaN or infinite samples; repair or drop it")
    pcm: Pcm = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
    return pcm


class Reblocker:
    """Cuts PCM of any length into blocks of BLOCK_SAMPLES."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the samples that wait for a whole block."""
        self._rest: Pcm = np.zeros(0, np.int16)

    def push(self, pcm: Pcm) -> Iterator[Pcm]:
        """Yield the whole blocks, int16 [1280], that int16 [n] more samples complete."""
        joined = np.concatenate([self._rest, pcm])
        whole = len(joined) // BLOCK_SAMPLES * BLOCK_SAMPLES
        self._rest = joined[whole:]
        for start in range(0, whole, BLOCK_SAMPLES):
            yield joined[start : start + BLOCK_SAMPLES]

    def flush(self) -> Iterator[Pcm]:
        """Yield what is left, filled up with zeros, as at most one block int16 [1280]."""
        rest = self._rest
        self.reset()
        if len(rest):
            yield np.pad(rest, (0, BLOCK_SAMPLES - len(rest)))
