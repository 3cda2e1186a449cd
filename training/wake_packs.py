"""Packs: the log-mel frames of many clips in one array on disk, for drawing random pieces fast.

Half precision keeps log10 power to 0.4 % of a decade, far below what noise does to it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeasr.audio import Pcm
from edgeasr.features import FeatureSpec, LogMel

__all__ = ["Clip", "Half", "Pack", "build_pack", "word_span"]

Half = NDArray[np.float16]


@dataclass(frozen=True, kw_only=True)
class Clip:
    """What is known of a clip; `start` and `frames` are set when it is packed."""

    key: str
    """Where it comes from: a path, or voice and text"""
    kind: str
    """speech, noise, music or word"""
    words: tuple[str, ...] = ()
    """The trigger words that it holds"""
    speaker: str = ""
    dev: bool = False
    """Held out: measured on, never trained on"""
    synthetic: bool = False
    word_start: int = 0
    word_end: int = 0
    """Frames, for words"""
    start: int = 0
    frames: int = 0


class Pack:
    """Clips and their frames, opened without reading them."""

    def __init__(self, stem: Path) -> None:
        """Open `stem`.npy and `stem`.json as `build_pack` wrote them."""
        self.name = stem.name
        content = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
        self.clips = [Clip(**{**row, "words": tuple(row["words"])}) for row in content["clips"]]
        self._frames: Half = np.load(stem.with_suffix(".npy"), mmap_mode="r")

    def frames(self, clip: Clip) -> Half:
        """Return float16 [clip.frames, 80] of log10 mel power."""
        return self._frames[clip.start : clip.start + clip.frames]


def build_pack(stem: Path, clips: Iterable[tuple[Clip, Pcm]]) -> Pack:
    """Write the frames of `clips` and open the pack; an existing pack is opened as it is.

    A pack of other features counts as missing.
    """
    digest = FeatureSpec().digest()
    index = stem.with_suffix(".json")
    if index.is_file() and json.loads(index.read_text(encoding="utf-8"))["features"] == digest:
        return Pack(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    log_mel, parts, rows, total = LogMel(), [], [], 0
    for clip, pcm in clips:
        frames = log_mel(pcm).astype(np.float16)
        rows.append({**asdict(clip), "start": total, "frames": len(frames)})
        parts.append(frames)
        total += len(frames)
    np.save(stem.with_suffix(".npy"), np.concatenate(parts))
    content = {"features": digest, "clips": rows}
    index.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return Pack(stem)


def word_span(pcm: Pcm) -> tuple[int, int]:
    """Return first and last frame of the one phrase in a recording, int16 [n], from its energy.

    The threshold lies a third of the way from the floor to the peak, in decibels, at most 28 dB
    below the peak (some clips end in digital silence); pauses shorter than 0.25 s belong to the
    phrase; of several stretches the most energetic is taken.
    """
    hops = max(1, len(pcm) // 160)
    square = np.square(pcm[: hops * 160].astype(np.float64)).reshape(hops, -1).mean(axis=1)
    smooth = np.convolve(square, np.ones(5) / 5, mode="same")
    level = 10 * np.log10(smooth + 1.0)
    floor, peak = np.percentile(level, 10), level.max()
    loud = np.flatnonzero(level > peak - np.clip((peak - floor) * 2 / 3, 6.0, 28.0))
    if len(loud) == 0:
        return 0, hops
    runs = np.split(loud, np.flatnonzero(np.diff(loud) > 25) + 1)
    best = max(runs, key=lambda run: float(np.sqrt(smooth[run[0] : run[-1] + 1]).sum()))
    return int(best[0]), int(best[-1]) + 1
