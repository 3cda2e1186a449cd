"""The audio that triggers are measured on: held-out recordings of words, noises, streams."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeasr.audio import SAMPLE_RATE, Pcm
from training.wake_corpus import positives
from training.wake_packs import word_span
from training.wake_rooms import made_room, reverberate
from training.wake_speech import SpeechPlan, phrase_clips

__all__ = ["Noises", "Said", "recordings", "streams"]


@dataclass
class Noises:
    """Held-out noise and music to lay behind recordings, the same in every run."""

    noise: list[Pcm]
    music: list[Pcm]
    rooms: list[NDArray[np.float32]]

    def apply(self, pcm: Pcm, condition: str, rng: np.random.Generator) -> Pcm:
        """Return the recording under a condition."""
        if condition == "clean":
            return pcm
        if condition == "cut close":
            start, end = word_span(pcm)
            return pcm[start * 160 : end * 160]
        if condition == "far field":
            room = self.rooms[rng.integers(len(self.rooms))] if self.rooms else made_room(rng)
            return _mixed(reverberate(pcm, room), self._pick(self.noise, rng), 20.0, rng)
        kind, level, _ = condition.split()
        pool = self.music if kind == "music" else self.noise
        return _mixed(pcm, self._pick(pool, rng), float(level), rng)

    @staticmethod
    def _pick(pool: list[Pcm], rng: np.random.Generator) -> Pcm:
        return pool[rng.integers(len(pool))]


def _mixed(pcm: Pcm, noise: Pcm, snr_db: float, rng: np.random.Generator) -> Pcm:
    first = int(rng.integers(max(1, len(noise) - len(pcm))))
    behind = np.resize(noise[first:], len(pcm)).astype(np.float32)
    gain = _loud_rms(pcm) / max(1.0, _loud_rms(behind)) * 10 ** (-snr_db / 20)
    return np.clip(pcm + behind * gain, -32768, 32767).astype(np.int16)


def _loud_rms(samples: NDArray[np.float32] | Pcm) -> float:
    """Return the RMS of the frame of 20 ms that is louder than nine in ten."""
    hops = max(1, len(samples) // 320)
    frames = np.resize(samples, hops * 320).astype(np.float64).reshape(hops, 320)
    return float(np.sqrt(np.percentile(np.square(frames).mean(axis=1), 90)))


def streams(clips: Iterator[Pcm], *, seconds: float = 600.0) -> Iterator[Pcm]:
    """Yield the clips laid end to end in streams of about ten minutes."""
    parts: list[Pcm] = []
    for pcm in clips:
        parts.append(pcm)
        if sum(map(len, parts)) > seconds * SAMPLE_RATE:
            yield np.concatenate(parts)
            parts = []
    if parts:
        yield np.concatenate(parts)


Said = tuple[str, Pcm]
"""Speaker and recording"""


def recordings(root: Path, words: tuple[str, ...]) -> dict[str, list[Said]]:
    """Return held-out recordings of each word; of held-out synthetic voices where none is real."""
    found: dict[str, list[Said]] = {word: [] for word in words}
    for clip, pcm in positives(root, [], seed=0, held_out_alone=True):
        if clip.dev and clip.words[0] in found:
            found[clip.words[0]].append((clip.speaker, pcm))
    for word in words:
        if not found[word]:
            print(f"{word}: no real recordings; synthetic voices that training did not hear")
            plan = SpeechPlan(mixed=0, native_rounds=4)
            found[word] = [
                (clip.speaker, pcm)
                for clip, pcm in phrase_clips([word], plan, [], held_out_alone=True)
            ]
    return found
