"""Recorded audio of any rate and channel count, as 16 kHz mono PCM."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from edgeasr.audio import SAMPLE_RATE, Pcm, to_int16
from edgeasr.containers import missing_end
from edgeasr.errors import AudioError

__all__ = ["MAX_AUDIO_S", "audio_chunks", "decode_audio", "read_audio"]

MAX_AUDIO_S = 4 * 3600.0
_CHUNK_S = 1.0
_MIN_RATE, _MAX_RATE = 4_000, 384_000  # Hz
_MAX_CHANNELS = 32


def audio_chunks(path: Path, *, max_s: float = MAX_AUDIO_S) -> Iterator[Pcm]:
    """Yield a file's audio as int16 [n] at 16 kHz mono, about a second at a time.

    Raises AudioError, naming the file, when it is missing, empty, not audio, longer than `max_s`,
    or truncated; what could be read until then has been yielded.
    """
    if path.is_dir():
        raise AudioError(f"{path}: this is a folder; give the files in it")
    if not path.is_file():
        raise AudioError(f"{path}: no such file")
    try:
        with path.open("rb") as file:
            yield from decode_audio(file, name=str(path), max_s=max_s)
    except OSError as error:
        raise AudioError(f"{path}: can not be read ({error.strerror})") from error


def read_audio(path: Path, *, max_s: float = MAX_AUDIO_S) -> Pcm:
    """Return a whole file as int16 [n] at 16 kHz mono. Raises AudioError as `audio_chunks`."""
    return np.concatenate([np.zeros(0, np.int16), *audio_chunks(path, max_s=max_s)])


def decode_audio(file: BinaryIO, *, name: str, max_s: float) -> Iterator[Pcm]:
    """Yield the audio of an open file, int16 [n] at 16 kHz mono. Raises AudioError with `name`."""
    if not file.read(1):
        raise AudioError(f"{name}: the file is empty (0 bytes)")
    truncated = missing_end(file)
    file.seek(0)
    try:
        stream = soundfile.SoundFile(file)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        reason = f"not audio that can be read ({_reason(error)})"
        raise AudioError(f"{name}: {reason}; give WAV, FLAC, Ogg, Opus or MP3") from error
    with stream:
        _check_header(stream, name, max_s)
        read = yield from _decode(stream, name, max_s)
        if read < stream.frames or truncated:
            raise AudioError(f"{name}: truncated after {read / stream.samplerate:.2f} s of audio")


def _check_header(stream: soundfile.SoundFile, name: str, max_s: float) -> None:
    if not _MIN_RATE <= stream.samplerate <= _MAX_RATE:
        raise AudioError(f"{name}: a rate of {stream.samplerate} Hz; give 4 to 384 kHz")
    if stream.channels > _MAX_CHANNELS:
        raise AudioError(f"{name}: {stream.channels} channels; at most {_MAX_CHANNELS}")
    if stream.frames <= 0:
        raise AudioError(f"{name}: holds no samples")
    if stream.frames / stream.samplerate > max_s:
        raise AudioError(
            f"{name}: {stream.frames / stream.samplerate:.0f} s long; cut it into files of at most "
            f"{max_s:g} s"
        )


def _decode(
    stream: soundfile.SoundFile, name: str, max_s: float
) -> Generator[Pcm, None, int]:
    """Yield int16 [n] at 16 kHz; return the count of samples read at the file's own rate."""
    resampler = None
    if stream.samplerate != SAMPLE_RATE:
        resampler = soxr.ResampleStream(stream.samplerate, SAMPLE_RATE, 1, dtype="float32")
    step, read = int(stream.samplerate * _CHUNK_S), 0
    while True:
        try:
            samples = stream.read(step, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise AudioError(
                f"{name}: damaged after {read / stream.samplerate:.2f} s ({_reason(error)})"
            ) from error
        read += len(samples)
        if read > stream.samplerate * max_s:  # a header may lie
            raise AudioError(f"{name}: longer than {max_s:g} s; cut it into shorter files")
        mono = samples.mean(axis=1, dtype=np.float32)
        if not np.isfinite(mono).all():
            raise AudioError(f"{name}: holds NaN or infinite samples; convert it to 16 bits")
        if resampler is not None:
            mono = resampler.resample_chunk(mono, last=len(samples) == 0)
        if len(mono):
            yield to_int16(mono)
        if len(samples) == 0:
            return read


def _reason(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error)
    return text.rstrip(". ") or type(error).__name__
