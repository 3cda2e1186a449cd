"""Recorded audio of any rate and channel count, as 16 kHz mono PCM."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from edgeasr.audio import SAMPLE_RATE, Pcm, to_int16
from edgeasr.errors import AudioError

__all__ = ["MAX_AUDIO_S", "audio_chunks", "read_audio"]

MAX_AUDIO_S = 4 * 3600.0
_CHUNK_S = 1.0
_MIN_RATE, _MAX_RATE = 4_000, 384_000
_MAX_CHANNELS = 32


def audio_chunks(path: Path, *, max_s: float = MAX_AUDIO_S) -> Iterator[Pcm]:
    """Yield a file's audio as int16 [n] at 16 kHz mono, about a second at a time.

    Raises AudioError, naming the file, when it is missing, empty, not audio, longer than `max_s`,
    or shorter than its header says; what was read until then has been yielded.
    """
    if not path.is_file():
        raise AudioError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file is empty (0 bytes)")
    try:
        stream = soundfile.SoundFile(str(path))
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        raise AudioError(f"{path}: not audio that can be read ({_reason(error)})") from error
    with stream:
        _check_header(stream, path, max_s)
        yield from _decode(stream, path)


def read_audio(path: Path, *, max_s: float = MAX_AUDIO_S) -> Pcm:
    """Return a whole file as int16 [n] at 16 kHz mono. Raises AudioError as `audio_chunks`."""
    return np.concatenate(list(audio_chunks(path, max_s=max_s)))


def _check_header(stream: soundfile.SoundFile, path: Path, max_s: float) -> None:
    if not _MIN_RATE <= stream.samplerate <= _MAX_RATE:
        raise AudioError(f"{path}: a rate of {stream.samplerate} Hz; give 4 to 384 kHz")
    if stream.channels > _MAX_CHANNELS:
        raise AudioError(f"{path}: {stream.channels} channels; at most {_MAX_CHANNELS}")
    if stream.frames <= 0:
        raise AudioError(f"{path}: holds no samples")
    if stream.frames / stream.samplerate > max_s:
        raise AudioError(f"{path}: longer than {max_s:g} s; cut it into shorter files")


def _decode(stream: soundfile.SoundFile, path: Path) -> Iterator[Pcm]:
    resampler = None
    if stream.samplerate != SAMPLE_RATE:
        resampler = soxr.ResampleStream(stream.samplerate, SAMPLE_RATE, 1, dtype="float32")
    expected, read = stream.frames, 0
    while True:
        try:
            block = stream.read(int(stream.samplerate * _CHUNK_S), dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise AudioError(f"{path}: damaged after {read} samples ({_reason(error)})") from error
        read += len(block)
        mono = block.mean(axis=1, dtype=np.float32)
        if not np.isfinite(mono).all():
            raise AudioError(f"{path}: holds NaN or infinite samples")
        if resampler is not None:
            mono = resampler.resample_chunk(mono, last=len(block) == 0)
        if len(mono):
            yield to_int16(mono)
        if len(block) == 0:
            break
    if read < expected:
        raise AudioError(f"{path}: truncated, {read} of {expected} samples")


def _reason(error: Exception) -> str:
    return str(error).rstrip(". ") or type(error).__name__
