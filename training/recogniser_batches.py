"""Augmented batches of the recogniser, each a function of seed and step."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgeasr.audio import SAMPLE_RATE, to_int16
from edgeasr.encoder import normalise
from edgeasr.features import LogMel
from training.augment import Noises, add_noise, add_room, change_speed, limit_band, surround
from training.recogniser_data import Clip, ClipStore

__all__ = ["Batch", "Batches", "collate"]

Samples = NDArray[np.float32]
FRAMES_PER_STEP = 4  # 40 ms, the CTC branch's step


@dataclass
class Batch:
    """Padded tensors."""

    mel: Tensor
    """float32 [batch, frames, mels], normalised"""
    lengths: Tensor
    """int64 [batch], 20 ms frames"""
    texts: list[str]
    clean: Tensor | None = None
    """The same clips without room, noise and masks, as `mel`; where a teacher listens to them"""


def collate(mels: list[NDArray[np.float32]], texts: list[str]) -> Batch:
    """Pad to the longest, a whole number of 40 ms steps."""
    frames = -(-max(map(len, mels)) // FRAMES_PER_STEP) * FRAMES_PER_STEP
    mel = np.zeros((len(mels), frames, mels[0].shape[1]), np.float32)
    for row, own in zip(mel, mels, strict=True):
        row[: len(own)] = own
    lengths = [-(-len(own) // FRAMES_PER_STEP) * FRAMES_PER_STEP // 2 for own in mels]
    return Batch(torch.from_numpy(mel), torch.tensor(lengths), texts)


class Batches:
    """Draws clips of like length and changes them."""

    def __init__(
        self,
        sources: list[tuple[ClipStore, list[Clip], float]],
        noises: Noises,
        rooms: list[Samples],
        *,
        seconds: float,
        seed: int,
        clean: bool = False,
    ) -> None:
        """Take (store, clips, share of the batches) of each source; `seconds` of audio a batch.

        With `clean` each batch also holds its clips as they were before they were disturbed.
        """
        self._sources = [(store, *_by_length(clips)) for store, clips, _ in sources]
        self._shares = np.array([share for _, _, share in sources])
        self._noises, self._rooms = noises, rooms
        self._seconds, self._seed, self._clean = seconds, seed, clean
        self._log_mel = LogMel()

    def batch(self, step: int, *, rank: int, world: int) -> Batch:
        """Return the share of batch `step` that belongs to process `rank` of `world`."""
        rng = np.random.default_rng((self._seed, step))
        chosen = rng.choice(len(self._sources), p=self._shares / self._shares.sum())
        store, clips, ends = self._sources[chosen]
        start = rng.uniform(0, max(0.0, ends[-1] - self._seconds))
        first, last = np.searchsorted(ends, [start, start + self._seconds])
        mine = clips[first : max(last, first + world)][rank::world]
        mels, clean, texts = [], [], []
        for clip in mine:
            own = np.random.default_rng((self._seed, step, clip.start))
            speech = store.read(clip).astype(np.float32)
            heard, undisturbed, text = self._change(speech, clip.text, own)
            mels.append(self._mask(self._normalised(heard), own))
            if undisturbed is not None:
                clean.append(self._normalised(undisturbed))
            texts.append(text)
        batch = collate(mels, texts)
        return replace(batch, clean=collate(clean, texts).mel) if clean else batch

    def _normalised(self, samples: Samples) -> NDArray[np.float32]:
        return normalise(self._log_mel(to_int16(samples / 32768)))[0]

    def _change(
        self, speech: Samples, text: str, rng: np.random.Generator
    ) -> tuple[Samples, Samples | None, str]:
        """Return the clip as it is heard, the same undisturbed if wanted, and what it says."""
        if rng.random() < 0.02:
            length = int(rng.uniform(1.0, 4.0) * SAMPLE_RATE)
            noise = self._noises.draw(rng, length) * rng.uniform(0.1, 1.0)
            silence = np.zeros(length, np.float32)
            return noise, _hissing(silence, 0.0, 0.0) if self._clean else None, ""
        if rng.random() < 0.5:
            speech = change_speed(speech, rng.uniform(0.9, 1.12))
        dry = speech
        if rng.random() < 0.25:
            speech = add_room(speech, rng, self._rooms)
        level = float(np.sqrt(np.mean(np.square(speech)) + 1.0))
        before_s = rng.uniform(0.05, 0.8) if rng.random() < 0.7 else rng.uniform(0.0, 0.1)
        after_s = rng.uniform(0.15, 0.9)
        speech = surround(speech, rng, before_s=before_s, after_s=after_s)
        if rng.random() < 0.55:
            noise = self._noises.draw(rng, len(speech))
            snr_db = rng.uniform(5, 25) if rng.random() < 0.8 else rng.uniform(-2, 8)
            speech = add_noise(speech, noise, snr_db, level)
        if rng.random() < 0.12:
            speech = limit_band(speech, rng)
        gain = 10 ** (rng.uniform(-38, -12) / 20) * 32768 / level
        undisturbed = _hissing(dry, before_s, after_s) * gain if self._clean else None
        return speech * gain, undisturbed, text

    def _mask(self, mel: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """SpecAugment (Park et al. 2019), lightly: one band, one short time."""
        if rng.random() < 0.5:
            width = rng.integers(1, 10)
            low = rng.integers(0, mel.shape[1] - width)
            mel[:, low : low + width] = mel.mean()
        if rng.random() < 0.5 and len(mel) > 100:
            width = rng.integers(2, 16)
            start = rng.integers(0, len(mel) - width)
            mel[start : start + width] = mel.mean()
        return mel


def _hissing(speech: Samples, before_s: float, after_s: float) -> Samples:
    """Return speech surrounded without a draw from the clip's own generator."""
    return surround(speech, np.random.default_rng(0), before_s=before_s, after_s=after_s)


def _by_length(clips: list[Clip]) -> tuple[list[Clip], NDArray[np.float64]]:
    """Return clips from short to long and where each ends when they lie end to end, seconds."""
    ordered = sorted(clips, key=lambda clip: (clip.samples, clip.start))
    return ordered, np.cumsum([clip.samples / SAMPLE_RATE for clip in ordered])
