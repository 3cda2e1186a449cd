"""Sound over MQTT as the daemon's microphone."""

import contextlib
import socket
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from mqtt_help import LOUD, eventually, script_runtime
from test_runtime import ROOT, Running

from edgeasr.config import AudioConfig
from edgeasr.config_file import parse_config
from edgeasr.errors import ConfigError
from edgeasr.hermes_audio import write_wav
from edgeasr.mqtt_source import MqttSource
from edgeasr.parts import source_of

PCM = np.arange(-640, 640, dtype=np.int16)


@pytest.fixture
def source():
    source = MqttSource("edgeasr/den/audio", queue_s=1.0, stall_s=0.05)
    source.start()
    return source


@pytest.mark.parametrize("body", [PCM.astype("<i2").tobytes(), write_wav(PCM)], ids=["raw", "wav"])
def test_a_message_becomes_sound(source, body):
    assert source.condition == "starting"
    source.feed(body)
    assert source.backlog_s == pytest.approx(0.08)
    chunk = source.read(0.1)
    assert np.array_equal(chunk.pcm, PCM)
    assert not chunk.gap
    assert (source.condition, source.backlog_s) == ("ok", 0.0)


# A chunk that is longer than the file it lies in: found by coverage-guided fuzzing.
LIAR = b"RIFF\x14\0\0\0WAVEjunk\xe8\x03\0\0" + bytes(8)


@pytest.mark.parametrize("body", [b"", b"odd", b"RIFFxxxx", LIAR, bytes(1_000_002)])
def test_what_is_no_sound_is_counted_and_told(source, body):
    source.feed(body)
    assert source.read(0.01) is None
    assert source.overflows == 1
    assert "edgeasr/den/audio" in source.detail


def test_too_much_drops_the_oldest_and_marks_the_gap(source):
    for number in range(15):
        source.feed(np.full(1600, number, np.int16).tobytes())
    assert (source.dropped_blocks, source.backlog_s) == (5, 1.0)
    first, second = source.read(0.1), source.read(0.1)
    assert (first.pcm[0], first.gap, second.gap) == (5, True, False)


def test_silence_of_the_sender_is_noticed_and_forgiven(source):
    time.sleep(0.06)
    assert source.read(0.0) is None
    assert source.condition == "lost"
    assert "sender" in source.detail
    source.feed(PCM.tobytes())
    assert source.read(0.1).gap
    assert source.condition == "ok"


def test_stopped_means_that_no_sound_is_taken(source):
    source.feed(PCM.tobytes())
    source.stop()
    source.feed(PCM.tobytes())
    assert source.read(0.0) is None
    assert source.condition == "stopped"
    source.start()
    source.feed(PCM.tobytes())
    assert source.read(0.1) is not None


def test_reading_waits_for_the_network_thread(source):
    threading.Timer(0.05, source.feed, [PCM.tobytes()]).start()
    assert source.read(2.0) is not None


def test_the_configuration_names_the_topic():
    own = source_of(AudioConfig(source="mqtt"), topic="edgeasr/den/audio")
    assert own.topic == "edgeasr/den/audio"
    other = source_of(AudioConfig(source="mqtt:hermes/audioServer/attic/audioFrame"), topic="x")
    assert other.topic == "hermes/audioServer/attic/audioFrame"
    with pytest.raises(ConfigError, match="edgeasr run"):
        source_of(AudioConfig(source="mqtt"))
    for wrong in ("mqtt:", "mqtt:a/#", "mqtt:$SYS/x"):
        with pytest.raises(ConfigError, match=r"audio\.source"):
            parse_config(f'[audio]\nsource = "{wrong}"')


@pytest.fixture
def notices(tmp_path, monkeypatch):
    """Systemd's socket; returns what has been told so far."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "notify"))
        server.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "30000000")
        told = []

        def drain():
            with contextlib.suppress(BlockingIOError):
                while True:
                    told.append(server.recv(1000).decode())
            return told

        yield drain


def test_the_daemon_wakes_from_sound_of_another_machine(
    tmp_path, broker, other, monkeypatch, notices
):
    script_runtime(monkeypatch)
    running = Running(tmp_path, broker.port)
    running.source.finish()
    running.config = replace(running.config, audio=AudioConfig(source="mqtt", stall_s=0.5))
    topic = f"{ROOT}/audio"
    stop = threading.Event()

    def send():
        while not stop.is_set():
            other.client.publish(topic, np.full(1280, LOUD + 1, np.int16).tobytes(), qos=0)
            time.sleep(0.02)

    source = source_of(running.config.audio, topic=topic)
    source.finish = lambda: setattr(source, "condition", "ended")
    running.source = source
    with running:
        other.wait(f"{ROOT}/status")
        # A sender that is away is no failure of this service: it is ready, and watched on.
        assert eventually(lambda: "READY=1" in notices())
        sender = threading.Thread(target=send)
        sender.start()
        other.wait(f"{ROOT}/transcript")
        stop.set()
        sender.join()
        assert eventually(lambda: other.json(f"{ROOT}/state")[-1]["microphone"] == "lost")
        before = notices().count("WATCHDOG=1")
        assert eventually(lambda: notices().count("WATCHDOG=1") > before)
