"""The microphone, over a sounddevice that does what we tell it."""

import sys
import time
import types

import numpy as np
import pytest

from edgeasr.config import AudioConfig
from edgeasr.errors import AudioError
from edgeasr.microphone import Microphone, choose_device, list_devices


class FakeSounddevice(types.ModuleType):
    """Stands in for the module `sounddevice`; the test feeds its streams by hand."""

    class PortAudioError(Exception):
        pass

    def __init__(self):
        super().__init__("sounddevice")
        self.devices = [self.device("USB PnP Sound Device: Audio (hw:1,0)", rate=48_000)]
        self.default = types.SimpleNamespace(device=(0, 0))
        self.accepted = {(16_000, 1), (48_000, 1)}
        self.streams, self.restarts, self.failure = [], 0, None

    def device(self, name, *, rate=16_000, channels=1):
        return {"name": name, "default_samplerate": float(rate), "max_input_channels": channels}

    def query_devices(self):
        return self.devices

    def check_input_settings(self, *, device, channels, dtype, samplerate):
        if (samplerate, channels) not in self.accepted:
            raise self.PortAudioError("Invalid sample rate")

    def _terminate(self):
        self.restarts += 1

    def _initialize(self):
        pass

    def RawInputStream(self, **options):  # noqa: N802 - its name
        if self.failure:
            raise self.PortAudioError(self.failure)
        stream = types.SimpleNamespace(**options, open=False)
        stream.start = lambda: setattr(stream, "open", True)
        stream.abort = lambda: setattr(stream, "open", False)
        stream.close = lambda: None
        self.streams.append(stream)
        return stream

    def give(self, pcm, *, overflow=False):
        stream = self.streams[-1]
        status = types.SimpleNamespace(input_overflow=overflow)
        stream.callback(memoryview(pcm.tobytes()), len(pcm) // stream.channels, None, status)


@pytest.fixture
def sound(monkeypatch):
    fake = FakeSounddevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr("edgeasr.microphone._BACK_OFF_S", (0.02, 0.1))
    return fake


def opened(**options):
    microphone = Microphone(AudioConfig(**options))
    microphone._back_off_s = 0.02
    microphone.start()
    return microphone


def tone(samples, level=1000):
    return (np.sin(np.arange(samples) / 5) * level).astype(np.int16)


def test_blocks_come_through_unchanged_at_16_khz(sound):
    microphone = opened(device="usb pnp")
    sound.give(tone(160))
    chunk = microphone.read(0.1)
    np.testing.assert_array_equal(chunk.pcm, tone(160))
    assert not chunk.gap
    assert microphone.condition == "ok"
    assert "USB PnP" in microphone.detail
    assert microphone.read(0.0) is None


def test_a_device_that_has_only_48_khz_stereo_is_mixed_and_resampled(sound):
    sound.devices = [sound.device("Stereo", rate=48_000, channels=2)]
    sound.accepted = {(48_000, 2)}
    microphone = opened()
    seconds = np.arange(48_000) / 48_000
    wave = np.sin(2 * np.pi * 440 * seconds) * 8000
    for block in np.stack([wave, wave], axis=1).astype(np.int16).reshape(-1, 480, 2):
        sound.give(block.reshape(-1))
    heard = []
    while (chunk := microphone.read(0.0)) is not None:
        heard.append(chunk.pcm)
    pcm = np.concatenate(heard)
    assert len(pcm) == pytest.approx(16_000, abs=400)
    spectrum = np.abs(np.fft.rfft(pcm[2000:14_000]))
    assert np.argmax(spectrum) * 16_000 / 12_000 == pytest.approx(440, abs=2)


def test_a_full_queue_drops_the_oldest_block_and_marks_the_gap(sound):
    microphone = opened(queue_s=1.0)
    for number in range(120):  # 1.2 s of 10 ms blocks
        sound.give(np.full(160, number, np.int16))
    assert microphone.dropped_blocks == 20
    assert microphone.backlog_s == pytest.approx(1.0, abs=0.02)
    first = microphone.read(0.0)
    assert first.pcm[0] == 20
    chunks = [microphone.read(0.0) for _ in range(99)]
    assert any(chunk.gap for chunk in chunks)


def test_overflow_is_counted_and_marked(sound):
    microphone = opened()
    sound.give(tone(160), overflow=True)
    assert microphone.read(0.1).gap
    assert microphone.overflows == 1


def test_a_microphone_that_just_stops_is_opened_anew_by_name(sound):
    microphone = opened(device="USB PnP", stall_s=0.05)
    sound.give(tone(160))
    assert microphone.read(0.1)
    time.sleep(0.06)
    assert microphone.read(0.0) is None
    assert (microphone.condition, "no sound" in microphone.detail) == ("lost", True)
    assert not sound.streams[0].open
    # It comes back under another number.
    sound.devices = [sound.device("HDMI"), sound.device("USB PnP Sound Device: Audio (hw:2,0)")]
    time.sleep(0.05)
    microphone.read(0.0)
    assert sound.restarts == 1
    assert sound.streams[-1].device == 1
    sound.give(tone(160))
    assert microphone.read(0.1).gap
    assert microphone.condition == "ok"


def test_an_absent_microphone_is_looked_for_with_growing_patience(sound):
    sound.devices = []
    microphone = opened(device="USB")
    waits = []
    until = time.monotonic() + 1.0
    while time.monotonic() < until and len(waits) < 4:
        before = sound.restarts
        started = time.monotonic()
        while sound.restarts == before:
            microphone.read(0.002)
        waits.append(time.monotonic() - started)
    assert waits[1] > waits[0]
    assert max(waits) < 0.2
    assert "plug a microphone in" in microphone.detail


def test_a_busy_device_is_reported_and_tried_again(sound):
    sound.failure = "Device unavailable [PaErrorCode -9985]"
    microphone = opened()
    assert microphone.condition == "lost"
    assert "-9985" in microphone.detail
    sound.failure = None
    time.sleep(0.03)
    microphone.read(0.0)
    sound.give(tone(160))
    assert microphone.read(0.1) is not None


def test_digital_silence_is_reported_and_forgiven(sound):
    microphone = opened(silence_s=1.0)
    for _ in range(120):
        sound.give(np.zeros(160, np.int16))
        microphone.read(0.0)
    assert microphone.condition == "silent"
    sound.give(tone(160))
    microphone.read(0.0)
    assert microphone.condition == "ok"


def test_stop_closes_the_device_and_forgets_the_queue(sound):
    microphone = opened()
    sound.give(tone(160))
    microphone.stop()
    assert not sound.streams[-1].open
    assert microphone.read(0.0) is None
    assert microphone.condition == "stopped"
    microphone.start()
    sound.give(tone(160))
    assert microphone.read(0.1) is not None


def test_half_samples_and_empty_blocks_do_no_harm(sound):
    microphone = opened()
    status = types.SimpleNamespace(input_overflow=False)
    sound.streams[-1].callback(memoryview(b"\x01"), 0, None, status)
    sound.streams[-1].callback(memoryview(b""), 0, None, status)
    assert len(microphone.read(0.1).pcm) == 0
    assert len(microphone.read(0.1).pcm) == 0


def test_the_callback_takes_less_than_a_block_lasts(sound):
    microphone = opened()
    block = tone(160)
    sound.give(block)
    started = time.perf_counter()
    for _ in range(1000):
        sound.give(block)
    per_call_s = (time.perf_counter() - started) / 1000
    assert microphone.dropped_blocks <= 1
    assert per_call_s < 0.001  # of the 10 ms that it stands for


def test_devices_are_listed_and_chosen_by_name(sound):
    sound.devices = [
        sound.device("HDMI", channels=0), sound.device("USB Mic"), sound.device("USB Mic 2")
    ]  # fmt: skip
    devices = list_devices()
    assert [device.name for device in devices] == ["USB Mic", "USB Mic 2"]
    assert choose_device(devices, "USB Mic").index == 1
    assert choose_device(devices, "mic 2").index == 2
    with pytest.raises(AudioError, match="no such input device; there are: USB Mic; USB Mic 2"):
        choose_device(devices, "Jabra")


def test_missing_portaudio_names_the_package(monkeypatch):
    def missing(_name):
        raise OSError("PortAudio library not found")

    monkeypatch.setattr("edgeasr.microphone.import_module", missing)
    with pytest.raises(AudioError, match="sudo apt install libportaudio2"):
        list_devices()
    microphone = Microphone(AudioConfig())
    microphone.start()
    assert microphone.condition == "lost"
    assert "libportaudio2" in microphone.detail
