"""Live sound that comes over MQTT: raw PCM from another machine, or the WAV frames of Hermes."""

import threading
import time
from collections import deque

import numpy as np

from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.capture import Chunk, Condition
from edgeasr.errors import AudioError
from edgeasr.hermes_audio import MAX_FRAME_BYTES, read_wav

__all__ = ["MqttSource"]


class MqttSource:
    """A bounded queue between the network thread, which calls `feed`, and the worker."""

    def __init__(self, topic: str, *, queue_s: float, stall_s: float) -> None:
        """Take what is published on `topic`; beyond `queue_s` seconds the oldest is dropped."""
        self.topic = topic
        self.condition: Condition = "starting"
        self.detail = ""
        self.dropped_blocks = 0
        """Messages that were thrown away because nobody read them in time"""
        self.overflows = 0
        """Messages that held no sound"""
        self._most = int(queue_s * SAMPLE_RATE)
        self._stall_s = stall_s
        self._queue: deque[Pcm] = deque()
        self._samples = 0
        self._gap = False
        self._arrived = threading.Condition()
        self._last_s = time.monotonic()

    @property
    def backlog_s(self) -> float:
        """Seconds of sound that wait to be read."""
        return self._samples / SAMPLE_RATE

    def start(self) -> None:
        """Begin, or begin again after `stop`."""
        self.condition, self.detail = "starting", f"waits for sound on {self.topic}"
        self._last_s = time.monotonic()

    def stop(self) -> None:
        """Take no sound from now on."""
        self.condition, self.detail = "stopped", ""
        with self._arrived:
            self._queue.clear()
            self._samples = 0

    def feed(self, body: bytes) -> None:
        """Take a message, whatever it holds. In the network thread."""
        if self.condition == "stopped":
            return
        try:
            pcm = _pcm_of(body)
        except AudioError as error:
            self.overflows += 1
            self.detail = f"{self.topic}: {error}"
            return
        with self._arrived:
            self._queue.append(pcm)
            self._samples += len(pcm)
            while self._samples > self._most and len(self._queue) > 1:
                self._samples -= len(self._queue.popleft())
                self.dropped_blocks += 1
                self._gap = True
            self._arrived.notify()

    def read(self, timeout_s: float) -> Chunk | None:
        """Return the sound of the oldest message, or None when none came in time."""
        with self._arrived:
            if not self._queue:
                self._arrived.wait(timeout_s)
            if not self._queue:
                self._notice_silence()
                return None
            pcm = self._queue.popleft()
            self._samples -= len(pcm)
            gap, self._gap = self._gap, False
        gap |= self.condition == "lost"
        self._last_s = time.monotonic()
        if self.condition != "stopped":
            self.condition, self.detail = "ok", self.topic
        return Chunk(pcm=pcm, gap=gap)

    def _notice_silence(self) -> None:
        late = time.monotonic() - self._last_s > self._stall_s
        if late and self.condition in ("starting", "ok"):
            self.condition = "lost"
            self.detail = f"no sound comes on {self.topic}; is its sender running?"


def _pcm_of(body: bytes) -> Pcm:
    """Return int16 [n] of a message. Raises AudioError."""
    if len(body) > MAX_FRAME_BYTES:
        raise AudioError(f"{len(body)} bytes; send at most {MAX_FRAME_BYTES}")
    if body[:4] == b"RIFF":
        return read_wav(body)
    if not body or len(body) % 2:
        raise AudioError(f"{len(body)} bytes are no whole samples; send int16 at 16 kHz, mono")
    return np.frombuffer(body, "<i2").astype(np.int16)
