"""Frames of log10 mel power, float32 [n, 80], changed as another speaker or room would."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["LN10", "Array", "frames_power", "lay", "levelled", "stretched", "tract"]

Array = NDArray[np.float32]
LN10 = float(np.log(10.0))
"""log10 x = ln x / LN10; numpy's natural functions are vectorised, its others are not"""


def frames_power(log_power: Array) -> Array:
    """Return ten to the power of the frames."""
    power: Array = np.exp(log_power * np.float32(LN10))
    return power


def lay(row: Array, at: int, frames: Array) -> None:
    """Set frames into a row from frame `at` on, in place; the louder of both stays."""
    part = row[at : at + len(frames)]
    np.maximum(part, frames[: len(part)], out=part)


def levelled(frames: Array) -> Array:
    """Return the frames with their loud part at log10 power 0 in the mean band."""
    loudness = frames.max(axis=1)
    place = int(len(loudness) * 0.9)
    level: Array = frames - np.partition(loudness, place)[place]
    return level


def stretched(frames: Array, factor: float) -> Array:
    """Return the frames stretched to `factor` times their number, interpolated."""
    count = max(4, int(len(frames) * factor))
    at = np.linspace(0, len(frames) - 1, count).astype(np.float32)
    low = at.astype(np.int64)
    high = np.minimum(low + 1, len(frames) - 1)
    share = (at - low).astype(np.float32)[:, None]
    mixed: Array = frames[low] * (1 - share) + frames[high] * share
    return mixed


def tract(frames: Array, rng: np.random.Generator) -> Array:
    """Return the frames with bands resampled by 0.9-1.1, as of another vocal tract."""
    if rng.random() < 0.4:
        return frames
    at = np.clip(np.arange(80) * np.exp(rng.uniform(-0.1, 0.1)), 0, 79).astype(np.float32)
    low = at.astype(np.int64)
    high = np.minimum(low + 1, 79)
    share = (at - low).astype(np.float32)[None]
    mixed: Array = frames[:, low] * (1 - share) + frames[:, high] * share
    return mixed
