"""Seeded changes to PCM: level, noise, rooms, speed, bands, silence around."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from edgeasr.audio import SAMPLE_RATE
from edgeasr.sources import read_audio

__all__ = ["Noises", "add_noise", "add_room", "change_speed", "limit_band", "surround"]

Samples = NDArray[np.float32]
_SUFFIXES = {".opus", ".flac", ".wav", ".ogg"}


@dataclass(frozen=True)
class Noises:
    """Background recordings, float32 at 16 kHz."""

    clips: list[Samples]

    @classmethod
    def read(cls, folder: Path, *, most_s: float = 300.0) -> "Noises":
        """Read every audio file below a folder, at most `most_s` seconds of each."""
        paths = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)
        clips = [read_audio(path)[: int(most_s * SAMPLE_RATE)] for path in paths]
        return cls([clip.astype(np.float32) for clip in clips if len(clip) > SAMPLE_RATE // 20])

    def draw(self, rng: np.random.Generator, samples: int) -> Samples:
        """Return `samples` of a random clip from a random place, repeated if it is short."""
        clip = self.clips[rng.integers(len(self.clips))]
        if len(clip) < samples:
            clip = np.tile(clip, -(-samples // len(clip)))
        start = rng.integers(len(clip) - samples + 1)
        return clip[start : start + samples]


def add_noise(
    speech: Samples, noise: Samples, snr_db: float, level: float | None = None
) -> Samples:
    """Add noise at a signal-to-noise ratio; `level` is the speech's RMS if not measured here."""
    own = level if level is not None else _rms(speech)
    gain = own / (_rms(noise) + 1e-3) * 10 ** (-snr_db / 20)
    return speech + noise * np.float32(gain)


def add_room(speech: Samples, rng: np.random.Generator, responses: list[Samples]) -> Samples:
    """Convolve with a recorded response, or with decaying noise (Polack 1988)."""
    if responses and rng.random() < 0.5:
        response = responses[rng.integers(len(responses))][:SAMPLE_RATE]
    else:
        decay_s, length = rng.uniform(0.1, 0.6), int(0.5 * SAMPLE_RATE)
        tail = rng.standard_normal(length) * 10 ** (-3 * np.arange(length) / SAMPLE_RATE / decay_s)
        response = (tail * rng.uniform(0.02, 0.15)).astype(np.float32)
        response[0] = 1.0
    start = int(np.abs(response).argmax())  # keep the words where they were
    response = response[start:] / (np.abs(response).max() + 1e-9)
    size = 1 << (len(speech) + len(response) - 1).bit_length()
    spectrum = np.fft.rfft(speech, size) * np.fft.rfft(response, size)
    wet: Samples = np.fft.irfft(spectrum, size)[: len(speech)].astype(np.float32)
    wet *= np.float32(_rms(speech) / (_rms(wet) + 1e-3))
    return wet


def change_speed(speech: Samples, factor: float) -> Samples:
    """Play faster (> 1) or slower, pitch and formants with it."""
    changed: Samples = soxr.resample(speech, SAMPLE_RATE * factor, SAMPLE_RATE, quality="LQ")
    return changed


def limit_band(speech: Samples, rng: np.random.Generator) -> Samples:
    """Pass a random band, as small microphones and telephones do."""
    spectrum = np.fft.rfft(speech)
    hz = np.fft.rfftfreq(len(speech), 1 / SAMPLE_RATE)
    low, high = rng.uniform(50, 300), rng.uniform(3400, 7500)
    slope = 1 / (1 + (low / np.maximum(hz, 1.0)) ** 6) / (1 + (hz / high) ** 12)
    return np.fft.irfft(spectrum * slope, len(speech)).astype(np.float32)


def surround(
    speech: Samples, rng: np.random.Generator, *, before_s: float, after_s: float
) -> Samples:
    """Put faint noise around, so that no clip begins or ends with digital silence."""
    before, after = int(before_s * SAMPLE_RATE), int(after_s * SAMPLE_RATE)
    hiss = rng.standard_normal(before + len(speech) + after).astype(np.float32)
    hiss *= np.float32(10 ** rng.uniform(-0.5, 1.2))
    hiss[before : before + len(speech)] += speech
    return hiss


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)) + 1e-9))
