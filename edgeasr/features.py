"""The log-mel spectrogram: the one definition that training and runtime share.

The values are those of Whisper's front-end (Radford et al. 2022) before its normalisation: 25 ms
Hann windows every 10 ms, 80 Slaney mel bands, log10 of the power. Each model applies its own
normalisation. Frame t is centred on sample 160 t; the stream starts with half a window of zeros,
so that a whole clip and the same clip in pieces give the same frames.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from edgeasr.audio import SAMPLE_RATE, Pcm

__all__ = ["FRAME_S", "FeatureSpec", "Frames", "Frontend", "LogMel", "mel_filterbank"]

Frames = NDArray[np.float32]


@dataclass(frozen=True)
class FeatureSpec:
    """The geometry of the spectrogram; its digest travels in every model's metadata."""

    sample_rate: int = SAMPLE_RATE
    """Hz"""
    window: int = 400
    """Samples in a Hann window (25 ms), also the length of the Fourier transform"""
    hop: int = 160
    """Samples between frames (10 ms)"""
    mels: int = 80
    """Mel bands"""
    low_hz: float = 0.0
    high_hz: float = 8000.0
    floor: float = 1e-10
    """Least mel power before the logarithm"""
    version: int = 1
    """Raised when the arithmetic changes in a way the fields above do not show"""

    def digest(self) -> str:
        """Return 16 hex digits that change with any field."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


FRAME_S = FeatureSpec.hop / FeatureSpec.sample_rate


def _hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's Auditory Toolbox scale: linear below 1 kHz, logarithmic above."""
    log_step = np.log(6.4) / 27.0
    return np.where(hz < 1000.0, hz * 3 / 200, 15 + np.log(np.maximum(hz, 1.0) / 1000) / log_step)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    log_step = np.log(6.4) / 27.0
    return np.where(mel < 15.0, mel * 200 / 3, 1000 * np.exp(log_step * (mel - 15)))


def mel_filterbank(spec: FeatureSpec) -> NDArray[np.float32]:
    """Return the triangular filters, float32 [window // 2 + 1, mels], each of unit area."""
    bins_hz = np.fft.rfftfreq(spec.window, 1 / spec.sample_rate)
    ends = _hz_to_mel(np.array([spec.low_hz, spec.high_hz]))
    edges_hz = _mel_to_hz(np.linspace(ends[0], ends[1], spec.mels + 2))
    left, centre, right = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bins_hz[:, None] - left) / (centre - left)
    falling = (right - bins_hz[:, None]) / (right - centre)
    triangles = np.maximum(0, np.minimum(rising, falling)) * (2 / (right - left))
    return triangles.astype(np.float32)


class LogMel:
    """PCM to log10 mel power, for a whole clip. Holds only constants."""

    def __init__(self, spec: FeatureSpec = FeatureSpec()) -> None:
        self.spec = spec
        ramp = np.arange(spec.window) / spec.window
        # 1/32768 is folded into the window, so that int16 is never rescaled.
        self._window = ((0.5 - 0.5 * np.cos(2 * np.pi * ramp)) / 32768.0).astype(np.float32)
        self._filters = mel_filterbank(spec)

    def __call__(self, pcm: Pcm) -> Frames:
        """Return float32 [frames, mels] of a clip int16 [n], (n - window / 2) // hop + 1 frames."""
        padded = np.concatenate([np.zeros(self.spec.window // 2, np.int16), pcm])
        return self.of_windows(padded)

    def of_windows(self, pcm: Pcm) -> Frames:
        """Return float32 [frames, mels] of all whole windows in int16 [n], without padding."""
        spec = self.spec
        if len(pcm) < spec.window:
            return np.zeros((0, spec.mels), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(pcm, spec.window)[:: spec.hop]
        spectrum = np.fft.rfft(windows * self._window, axis=1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        mel = power.astype(np.float32, copy=False) @ self._filters
        log_mel: Frames = np.log10(np.maximum(mel, spec.floor))
        return log_mel


class Frontend:
    """The same frames from a stream: keeps the samples that the next window still needs."""

    def __init__(self, log_mel: LogMel) -> None:
        self._log_mel = log_mel
        self.reset()

    def reset(self) -> None:
        """Forget the stream; the next sample is sample 0."""
        self._overlap: Pcm = np.zeros(self._log_mel.spec.window // 2, np.int16)

    def push(self, pcm: Pcm) -> Frames:
        """Return the frames, float32 [k, mels], that int16 [n] more samples complete."""
        joined = np.concatenate([self._overlap, pcm])
        frames = self._log_mel.of_windows(joined)
        self._overlap = joined[len(frames) * self._log_mel.spec.hop :]
        return frames
