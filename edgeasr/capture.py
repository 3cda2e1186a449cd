"""Live sound without a sound card: the source protocol, pipes, and files at speaking pace."""

import os
import select
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from edgeasr.audio import BLOCK_SAMPLES, SAMPLE_RATE, Pcm
from edgeasr.errors import AudioError
from edgeasr.sources import audio_chunks

__all__ = ["Chunk", "Condition", "FileSource", "LiveSource", "PipeSource"]

Condition = Literal["starting", "ok", "silent", "lost", "stopped", "ended"]

_READ_BYTES = 2 * SAMPLE_RATE  # a second
_MOST_PIPE_BYTES = 1 << 20  # what Linux lets a pipe hold at most


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Sound as it came."""

    pcm: Pcm
    """int16 [n] at 16 kHz mono"""
    gap: bool = False
    """Sound was lost before it"""


class LiveSource(Protocol):
    """Where the daemon's sound comes from. One thread calls; nothing here raises."""

    condition: Condition
    detail: str
    """The condition in words, with the remedy when there is one"""
    dropped_blocks: int
    """Device blocks thrown away because nobody read them in time"""
    overflows: int
    """Times the device reported lost sound"""

    @property
    def backlog_s(self) -> float:
        """Seconds of sound that wait to be read."""
        ...

    def start(self) -> None:
        """Begin, or begin again after `stop`."""
        ...

    def stop(self) -> None:
        """Close the device: from now on no sound is taken."""
        ...

    def read(self, timeout_s: float) -> Chunk | None:
        """Return sound, or None when none came in time; keeps the device alive meanwhile."""
        ...


class PipeSource:
    """Raw PCM, 16 kHz mono int16 little endian, from standard input or a FIFO."""

    def __init__(self, path: Path | None, *, stall_s: float) -> None:
        """Read the FIFO at `path`, made when missing, or standard input when None."""
        self.condition: Condition = "starting"
        self.detail = ""
        self.dropped_blocks = 0
        self.overflows = 0
        self._path = path
        self._stall_s = stall_s
        self._file: int | None = None
        self._odd = b""
        self._last_s = time.monotonic()

    @property
    def backlog_s(self) -> float:
        """Zero: the pipe itself is the queue, and it is bounded (2 s on Linux)."""
        return 0.0

    def start(self) -> None:
        """Open the pipe. A failure is a condition, not an exception."""
        again = self.condition == "stopped"
        self.condition, self.detail, self._odd = "starting", "", b""
        self._last_s = time.monotonic()
        try:
            if self._file is None:
                self._file = 0 if self._path is None else _open_fifo(self._path)
            if again:
                _drain(self._file)
        except (OSError, AudioError) as error:
            self.condition, self.detail = "ended", str(error)

    def stop(self) -> None:
        """Read no more; what comes meanwhile is thrown away by the next `start`.

        The pipe stays open, since a program that writes into a closed one is ended by SIGPIPE.
        """
        self.condition, self.detail = "stopped", ""

    def read(self, timeout_s: float) -> Chunk | None:
        """Return what has come, at most a second of it."""
        if self._file is None or self.condition == "stopped":
            time.sleep(timeout_s)
            return None
        if not select.select([self._file], [], [], timeout_s)[0]:
            if time.monotonic() - self._last_s > self._stall_s and self.condition != "lost":
                self.condition = "lost"
                self.detail = f"no sound comes from {self._path or 'standard input'}"
            return None
        try:
            received = os.read(self._file, _READ_BYTES)
        except BlockingIOError:
            return None  # somebody else reads the pipe too
        except OSError as error:
            self.condition, self.detail = "ended", f"the sound can not be read: {error}"
            return None
        if not received:
            self.condition, self.detail = "ended", "the sound has ended"
            return None
        self._last_s = time.monotonic()
        self.condition, self.detail = "ok", str(self._path or "standard input")
        joined = self._odd + received
        whole = len(joined) // 2 * 2
        self._odd = joined[whole:]
        return Chunk(pcm=np.frombuffer(joined[:whole], "<i2").astype(np.int16))


class FileSource:
    """Recordings one after the other, as fast as they were spoken or as fast as they are read."""

    def __init__(self, paths: Sequence[Path], *, realtime: bool, tail_s: float = 1.0) -> None:
        """Play `paths`, each followed by `tail_s` of silence."""
        self.condition: Condition = "starting"
        self.detail = ""
        self.dropped_blocks = 0
        self.overflows = 0
        self._blocks = self._cut(paths, tail_s)
        self._realtime = realtime
        self._due_s: float | None = None

    @property
    def backlog_s(self) -> float:
        """Seconds by which the reader is late."""
        if not self._realtime or self._due_s is None:
            return 0.0
        return max(0.0, time.monotonic() - self._due_s)

    def start(self) -> None:
        """Go on where `stop` left off."""
        self._due_s = None
        self.condition = "starting"

    def stop(self) -> None:
        """Pause."""
        self.condition = "stopped"

    def read(self, timeout_s: float) -> Chunk | None:
        """Return the next block, not before its time."""
        if self.condition in ("stopped", "ended"):
            time.sleep(timeout_s)
            return None
        now_s = time.monotonic()
        self._due_s = now_s if self._due_s is None else self._due_s
        if self._realtime and self._due_s - now_s > timeout_s:
            time.sleep(timeout_s)
            return None
        if self._realtime:
            time.sleep(max(0.0, self._due_s - now_s))
        try:
            pcm = next(self._blocks, None)
        except AudioError as error:
            self.condition, self.detail = "ended", str(error)
            return None
        if pcm is None:
            self.condition, self.detail = "ended", "all recordings have been played"
            return None
        self.condition = "ok"
        self._due_s += len(pcm) / SAMPLE_RATE
        return Chunk(pcm=pcm)

    def _cut(self, paths: Sequence[Path], tail_s: float) -> Iterator[Pcm]:
        tail = np.zeros(int(tail_s * SAMPLE_RATE), np.int16)
        for path in paths:
            self.detail = str(path)
            for pcm in (*audio_chunks(path), tail):
                for start in range(0, len(pcm), BLOCK_SAMPLES):
                    yield pcm[start : start + BLOCK_SAMPLES]


def _open_fifo(path: Path) -> int:
    if not path.exists():
        os.mkfifo(path, 0o660)
    if not stat.S_ISFIFO(path.stat().st_mode):
        raise AudioError(f"audio.source: {path} is not a FIFO; remove it, or use file:{path}")
    # Opened for writing too, so that a writer that leaves is not the end of the stream.
    return os.open(path, os.O_RDWR | os.O_NONBLOCK)


def _drain(file: int) -> None:
    """Throw away what a pipe holds: it was spoken while nobody was to listen."""
    left = _MOST_PIPE_BYTES
    while left > 0 and select.select([file], [], [], 0.0)[0]:
        received = os.read(file, left)
        if not received:
            return
        left -= len(received)
