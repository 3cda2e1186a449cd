"""Sound in Wyoming's chunks, of any rate and width, as 16 kHz mono PCM."""

import numpy as np
import soxr
from numpy.typing import NDArray
from wyoming.audio import AudioChunk

from edgeasr.audio import SAMPLE_RATE, Pcm, to_int16
from edgeasr.errors import AudioError

__all__ = ["ChunkReader"]

_WIDTHS = {2: "<i2", 4: "<i4"}
_MIN_RATE, _MAX_RATE = 4_000, 384_000  # Hz
_MAX_CHANNELS = 32


class ChunkReader:
    """Converts the chunks of one stream."""

    def __init__(self) -> None:
        self._format: tuple[int, int, int] | None = None
        self._resampler: soxr.ResampleStream | None = None

    def read(self, chunk: AudioChunk) -> Pcm:
        """Return a chunk as int16 [n] at 16 kHz. Raises AudioError for what is not PCM."""
        self._check(chunk)
        samples = np.frombuffer(chunk.audio, _WIDTHS[chunk.width]).reshape(-1, chunk.channels)
        if chunk.width == 2 and chunk.channels == 1 and chunk.rate == SAMPLE_RATE:
            return samples[:, 0].astype(np.int16)
        mono = (samples / 2.0 ** (8 * chunk.width - 1)).mean(axis=1).astype(np.float32)
        return to_int16(self._resampled(mono))

    def flush(self) -> Pcm:
        """Return what the resampler still holds, int16 [n]."""
        if self._resampler is None:
            return np.zeros(0, np.int16)
        return to_int16(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))

    def _check(self, chunk: AudioChunk) -> None:
        own = (chunk.rate, chunk.width, chunk.channels)
        if own == self._format:
            pass
        elif not all(isinstance(number, int) for number in own):
            raise AudioError(f"rate, width and channels are {own}; give whole numbers")
        elif chunk.width not in _WIDTHS:
            raise AudioError(f"samples of {chunk.width} bytes; send 2 or 4")
        elif not (_MIN_RATE <= chunk.rate <= _MAX_RATE and 1 <= chunk.channels <= _MAX_CHANNELS):
            raise AudioError(
                f"{chunk.rate} Hz, {chunk.channels} channels; send 4 to 384 kHz, 1 to 32 channels"
            )
        elif self._format is not None:
            raise AudioError(f"the format changed to {own}; send audio-start first")
        else:
            self._format = own
            if chunk.rate != SAMPLE_RATE:
                self._resampler = soxr.ResampleStream(chunk.rate, SAMPLE_RATE, 1, dtype="float32")
        if len(chunk.audio) % (chunk.width * chunk.channels):
            raise AudioError(f"a chunk of {len(chunk.audio)} bytes cuts a sample; send whole ones")

    def _resampled(self, mono: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._resampler is None:
            return mono
        resampled: NDArray[np.float32] = self._resampler.resample_chunk(mono)
        return resampled
