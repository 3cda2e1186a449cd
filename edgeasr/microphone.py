"""The sound card through PortAudio: found by name, watched, opened anew when it falls silent.

PortAudio's own thread only puts copies into a bounded queue. After an unplug it often just stops
calling, without an error, and its device list is frozen at its start: a microphone that gave no
block for a while is closed, PortAudio started afresh, and the device looked up by name again.
"""

import contextlib
import logging
import queue
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import soxr

from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.capture import Chunk, Condition
from edgeasr.config import AudioConfig
from edgeasr.errors import AudioError

__all__ = ["Device", "Microphone", "choose_device", "list_devices"]

_LOG = logging.getLogger(__name__)
_BACK_OFF_S = (1.0, 30.0)
_STABLE_S = 10.0  # sound for this long forgets earlier failures


@dataclass(frozen=True, kw_only=True)
class Device:
    """An input device."""

    index: int
    name: str
    rate: int
    """Native rate, Hz"""
    channels: int
    is_default: bool


def list_devices() -> list[Device]:
    """Return the input devices. Raises AudioError when PortAudio is missing or broken."""
    portaudio = _sounddevice()
    try:
        found: Sequence[Mapping[str, Any]] = portaudio.query_devices()
        default = portaudio.default.device[0]
    except portaudio.PortAudioError as error:
        raise AudioError(f"PortAudio can not list devices: {error}") from error
    return [
        Device(
            index=index,
            name=str(item["name"]),
            rate=int(item["default_samplerate"]),
            channels=int(item["max_input_channels"]),
            is_default=index == default,
        )
        for index, item in enumerate(found)
        if item["max_input_channels"] > 0
    ]


def choose_device(devices: Sequence[Device], name: str) -> Device:
    """Return the device called `name`, or whose name contains it; the default for an empty name.

    Raises AudioError that lists what there is.
    """
    if not devices:
        raise AudioError("there is no input device; plug a microphone in")
    if not name:
        return next((device for device in devices if device.is_default), devices[0])
    wanted = name.casefold()
    exact = [device for device in devices if device.name.casefold() == wanted]
    found = exact or [device for device in devices if wanted in device.name.casefold()]
    if not found:
        known = "; ".join(device.name for device in devices)
        raise AudioError(f"audio.device = {name!r}: no such input device; there are: {known}")
    return found[0]


class Microphone:
    """One input device, kept open. `start`, `stop` and `read` belong to one thread."""

    def __init__(self, config: AudioConfig) -> None:
        self.condition: Condition = "starting"
        self.detail = ""
        self.dropped_blocks = 0
        self.overflows = 0
        self._config = config
        self._queue: queue.SimpleQueue[tuple[bytes, bool]] = queue.SimpleQueue()
        self._stream: Any = None
        self._channels = 1
        self._rate = SAMPLE_RATE
        self._resampler: soxr.ResampleStream | None = None
        self._frames = 0
        """Frames in the last block, as PortAudio chose it"""
        self._last_s = self._opened_s = 0.0
        self._retry_s = 0.0
        self._back_off_s = _BACK_OFF_S[0]
        self._silent_s = 0.0
        self._lost_sound = False
        self._wanted = False

    @property
    def backlog_s(self) -> float:
        """Seconds of sound that wait to be read."""
        return self._queue.qsize() * self._frames / self._rate

    def start(self) -> None:
        """Open the device; when that fails, `read` tries again later."""
        self._wanted = True
        self._open(first=self._stream is None and not self._retry_s)

    def stop(self) -> None:
        """Close the device and forget what it gave."""
        self._wanted = False
        self._close()
        self.condition, self.detail = "stopped", ""

    def read(self, timeout_s: float) -> Chunk | None:
        """Return the next block resampled, or None; opens a lost device when it is time."""
        now_s = time.monotonic()
        if not self._wanted:
            time.sleep(timeout_s)
            return None
        if self._stream is None and now_s >= self._retry_s:
            self._open(first=False)
        elif self._stream is not None and now_s - self._last_s > self._config.stall_s:
            self._fail(f"no sound for {self._config.stall_s:g} s")
        try:
            raw, gap = self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None
        pcm = self._convert(raw)
        self._judge(pcm)
        return Chunk(pcm=pcm, gap=gap)

    def _callback(self, sound: Any, frames: int, _time: object, status: Any) -> None:  # noqa: ANN401
        """Copy and go: this runs in PortAudio's thread, for which being late means lost sound."""
        self._last_s = time.monotonic()
        self._frames = frames
        if status.input_overflow:
            self.overflows += 1
            self._lost_sound = True
        if self._queue.qsize() * frames >= self._config.queue_s * self._rate:
            with contextlib.suppress(queue.Empty):
                self._queue.get_nowait()
            self.dropped_blocks += 1
            self._lost_sound = True
        gap, self._lost_sound = self._lost_sound, False
        self._queue.put((bytes(sound), gap))

    def _open(self, *, first: bool) -> None:
        try:
            portaudio = _sounddevice()
            if not first:
                # Only a new start of PortAudio sees devices plugged in since.
                portaudio._terminate()  # noqa: SLF001 - there is no public way
                portaudio._initialize()  # noqa: SLF001
            device = choose_device(list_devices(), self._config.device)
            self._rate, self._channels = _format(portaudio, device)
            self._resampler = None
            if self._rate != SAMPLE_RATE:
                self._resampler = soxr.ResampleStream(
                    self._rate, SAMPLE_RATE, 1, dtype="int16", quality="MQ"
                )
            self._last_s = self._opened_s = time.monotonic()
            self._stream = portaudio.RawInputStream(
                samplerate=self._rate, device=device.index, channels=self._channels,
                dtype="int16", latency=self._config.latency_s, callback=self._callback,
            )  # fmt: skip
            self._stream.start()
        except Exception as error:  # PortAudio's errors vary; each means: try again
            self._fail(str(error))
            return
        self.detail = f"{device.name}, {self._rate} Hz"
        _LOG.info("microphone: %s", self.detail)

    def _fail(self, reason: str) -> None:
        self._close()
        self._retry_s = time.monotonic() + self._back_off_s
        if self.condition != "lost" or reason != self.detail:
            _LOG.warning("microphone lost: %s; trying again", reason)
        self._back_off_s = min(2 * self._back_off_s, _BACK_OFF_S[1])
        self.condition, self.detail = "lost", reason

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        try:
            if stream is not None:
                stream.abort()
                stream.close()
        except Exception as error:  # a dead stream may refuse even to close
            _LOG.debug("closing the microphone: %s", error)
        while not self._queue.empty():
            self._queue.get_nowait()
        self._lost_sound = True

    def _convert(self, raw: bytes) -> Pcm:
        pcm = np.frombuffer(raw[: len(raw) // (2 * self._channels) * 2 * self._channels], np.int16)
        if self._channels > 1:
            pcm = pcm.reshape(-1, self._channels).mean(axis=1).astype(np.int16)
        if self._resampler is None:
            return pcm
        resampled: Pcm = self._resampler.resample_chunk(pcm)
        return resampled

    def _judge(self, pcm: Pcm) -> None:
        """Tell a microphone that works from one that only gives zeros or one value."""
        constant = len(pcm) == 0 or int(pcm.max()) == int(pcm.min())
        self._silent_s = self._silent_s + len(pcm) / SAMPLE_RATE if constant else 0.0
        if self._silent_s >= self._config.silence_s:
            if self.condition != "silent":
                _LOG.warning("the microphone gives only silence; check its switch and cable")
            self.condition = "silent"
            return
        self.condition = "ok"
        if time.monotonic() - self._opened_s > _STABLE_S:
            self._back_off_s = _BACK_OFF_S[0]


def _format(portaudio: Any, device: Device) -> tuple[int, int]:  # noqa: ANN401 - a module
    """Return the rate and channels to open: 16 kHz mono when the device can, else its own."""
    choices = [(SAMPLE_RATE, 1), (device.rate, 1), (device.rate, device.channels)]
    for rate, channels in choices:
        try:
            portaudio.check_input_settings(
                device=device.index, channels=channels, dtype="int16", samplerate=rate
            )
        except (portaudio.PortAudioError, ValueError):
            continue
        return rate, channels
    raise AudioError(
        f"{device.name} takes neither 16 kHz nor its own {device.rate} Hz; is another program "
        "using it?"
    )


def _sounddevice() -> Any:  # noqa: ANN401 - a module
    try:
        return import_module("sounddevice")
    except OSError as error:
        raise AudioError("PortAudio is missing: sudo apt install libportaudio2") from error
    except ImportError as error:
        raise AudioError("sounddevice is missing: pip install sounddevice") from error
