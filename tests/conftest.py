"""What several tests share: audio made on the spot, the shipped models loaded once."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, settings
from mqtt_help import Mosquitto, Subscriber
from real_peers import NodeRed, RealHomeAssistant, peer

from edgeasr.recordings import bundled_recordings
from edgeasr.sources import read_audio

AUDIO = Path(__file__).parent / "audio"

# No test fails because the machine is slow or busy.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")


@pytest.fixture(scope="session")
def models():
    """The models that ship."""
    from edgeasr.loading import load_models  # noqa: PLC0415 - slow, and some tests need none

    return load_models()


@pytest.fixture(scope="session")
def recordings() -> dict[str, np.ndarray]:
    """The bundled recordings and those of the tests, int16 [n] by file stem."""
    paths = [*bundled_recordings(), *sorted(AUDIO.glob("*-*.flac"))]
    return {path.stem: read_audio(path) for path in paths}


@pytest.fixture
def wav(tmp_path):
    """Return a function that writes samples to a WAV file and returns its path."""

    def write(samples, *, rate=16_000, name="clip.wav", **options):
        path = tmp_path / name
        soundfile.write(path, samples, rate, **options)
        return path

    return write


@pytest.fixture
def noise():
    """Faint white noise, int16 [n], the same each time."""

    def make(seconds: float, level: float = 30.0) -> np.ndarray:
        rng = np.random.default_rng(7)
        return (rng.standard_normal(int(seconds * 16_000)) * level).astype(np.int16)

    return make


@pytest.fixture
def broker(tmp_path):
    """A real Mosquitto on a free loopback port."""
    broker = Mosquitto(tmp_path)
    yield broker
    broker.kill()


@pytest.fixture
def other(broker):
    """Another client, which follows every topic."""
    subscriber = Subscriber(broker.port)
    yield subscriber
    subscriber.close()


@pytest.fixture
def start_home(tmp_path, broker):
    """A function that starts Home Assistant, with the same folder each time."""
    python = str(Path(peer("HOME_ASSISTANT")).with_name("python"))
    started = []

    def start() -> RealHomeAssistant:
        started.append(RealHomeAssistant(python, tmp_path / "ha", broker.port))
        return started[-1]

    yield start
    for home in started:
        home.process.kill()
        home.process.wait()


@pytest.fixture
def node_red(tmp_path, broker):
    """Node-RED with the example's flow, for the site `hall`."""
    red = NodeRed(peer("NODE_RED"), tmp_path / "red", broker.port)
    yield red
    red.process.kill()
    red.process.wait()
