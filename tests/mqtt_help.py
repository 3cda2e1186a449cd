"""A real Mosquitto, a subscriber that remembers, and an assistant that follows a script."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import paho.mqtt.client as paho
import pytest

from edgeasr.capture import Chunk
from edgeasr.errors import ConfigError
from edgeasr.events import NoSpeech, Partial, Transcript, Translation, Wake

LOUD = 20_000  # a sample above wakes the scripted assistant
SPOKEN = "turn on the light"


def report(line: str) -> None:
    """Write a figure; `pytest -s` shows it."""
    sys.stdout.write(f"\n{line}\n")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def eventually(true: Callable[[], object], *, within_s: float = 60.0) -> bool:
    """Wait until `true()` is; return whether it became so, by default on the slowest machine."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        if true():
            return True
        time.sleep(0.01)
    return bool(true())


class Mosquitto:
    """Debian's broker on a free loopback port."""

    def __init__(self, folder: Path, *lines: str, listener: str = "") -> None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        if program is None:
            pytest.skip("mosquitto is not installed: sudo apt install mosquitto")
        self.port = free_port()
        self._program = program
        self._config = folder / f"mosquitto-{self.port}.conf"
        options = lines or ("allow_anonymous true",)
        self._config.write_text(
            "\n".join((f"listener {self.port} 127.0.0.1", listener, "user root", *options)) + "\n"
        )
        self._process: subprocess.Popen | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert eventually(self._listens), "mosquitto does not listen"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Subscriber:
    """Somebody else on the broker; keeps every message."""

    def __init__(self, port: int, *topics: str, username: str = "", **options) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self._subscribed = threading.Event()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, **options)
        self.client.on_message = lambda _c, _u, m: self.messages.append(
            (m.topic, m.payload, m.retain)
        )
        self.client.on_connect = lambda client, *_: client.subscribe(
            [(topic, 1) for topic in topics or ("#",)]
        )
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        if username:
            self.client.username_pw_set(username)
        self.client.reconnect_delay_set(0.05, 0.2)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._subscribed.wait(60)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def send(self, topic: str, payload: object = b"", **options) -> None:
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        self.client.publish(topic, payload, qos=1, **options)

    def bodies(self, topic: str) -> list[bytes]:
        return [body for name, body, _ in list(self.messages) if name == topic]

    def json(self, topic: str) -> list[dict]:
        return [json.loads(body) for body in self.bodies(topic)]

    def wait(self, topic: str, *, count: int = 1, within_s: float = 60.0) -> list[bytes]:
        enough = eventually(lambda: len(self.bodies(topic)) >= count, within_s=within_s)
        seen = sorted({name for name, _, _ in self.messages})
        assert enough, f"{len(self.bodies(topic))} of {count} on {topic}; topics seen: {seen}"
        return self.bodies(topic)

    def wait_json(self, topic: str, **options) -> list[dict]:
        return [json.loads(body) for body in self.wait(topic, **options)]


class ScriptedAssistant:
    """Wakes at a loud sample, hears the same sentence a second later."""

    def __init__(self, models, settings, *, session_prefix: str = "") -> None:
        self._models = models
        self._prefix = session_prefix
        self._samples = self._sessions = 0
        self._left: int | None = None
        self.settings = settings
        self.apply(settings)

    @property
    def state(self) -> str:
        return "idle" if self._left is None else "listening"

    @property
    def now_s(self) -> float:
        return self._samples / 16_000

    @property
    def latest_scores(self) -> dict[str, float]:
        return {"computer": 0.0}

    @property
    def _session(self) -> str:
        return f"{self._prefix}{self._sessions}"

    def reset(self) -> None:
        self._samples, self._left = 0, None

    def apply(self, settings) -> None:
        for word in settings.words:
            if word not in self._models.wake.words:
                raise ConfigError(f"no word {word}")
        self.settings = settings

    def push(self, pcm: np.ndarray) -> list:
        parts = [pcm[at : at + 1280] for at in range(0, len(pcm), 1280)]
        return [event for part in parts for event in self._block(part)]

    def _block(self, pcm: np.ndarray) -> list:
        self._samples += len(pcm)
        if self._left is not None:
            self._left -= len(pcm)
            return self.stop() if self._left <= 0 else []
        if len(pcm) and pcm.max() > LOUD and "computer" in self.settings.words:
            return self._start("computer", 0.9)
        return []

    def finish(self) -> list:
        events = self.cancel()
        self.reset()
        return events

    def listen(self) -> list:
        return [] if self._left is not None else self._start("", 1.0)

    def stop(self) -> list:
        if self._left is None:
            return []
        self._left = None
        transcript = Transcript(
            at_s=self.now_s, session=self._session, text=SPOKEN, display=SPOKEN, confidence=0.9,
            words=(), start_s=0.0, end_s=1.0, reason="silence",
        )  # fmt: skip
        targets = self.settings.targets
        return [transcript, *(self.translate(SPOKEN, t, session=self._session) for t in targets)]

    def cancel(self) -> list:
        if self._left is None:
            return []
        self._left = None
        return [NoSpeech(at_s=self.now_s, session=self._session, reason="cancelled")]

    def translate(self, text: str, target: str, *, session: str | None = None) -> Translation:
        if target not in self._models.translators:
            raise ConfigError(f"no translator to {target}")
        return Translation(
            at_s=self.now_s, session=session, language=target, text=f"<{target}> {text}",
            source=text, source_language="en", confidence=0.8, doubtful=False,
        )  # fmt: skip

    def _start(self, word: str, score: float) -> list:
        self._sessions += 1
        self._left = 16_000
        wake = Wake(
            at_s=self.now_s, session=self._session, word=word, score=score,
            word_end_s=self.now_s, latency_s=0.0,
        )  # fmt: skip
        return [wake, Partial(at_s=self.now_s, session=self._session, text="turn")]


def scripted_models() -> SimpleNamespace:
    words = ("computer", "jarvis")
    wake = SimpleNamespace(words=words, thresholds=dict.fromkeys(words, 0.5))
    translators = {"fr": None, "de": None}
    return SimpleNamespace(
        wake=wake, translators=translators, recogniser=None, understander=None
    )


def script_runtime(monkeypatch) -> None:
    """Let `edgeasr.runtime.run` use the scripted assistant."""
    import edgeasr.runtime  # noqa: PLC0415 - heavy

    monkeypatch.setattr(edgeasr.runtime, "Assistant", ScriptedAssistant)
    monkeypatch.setattr(edgeasr.runtime, "models_of", lambda _config: scripted_models())


class ListSource:
    """Sound from a list, as fast as it is read, then silence for as long as wanted."""

    def __init__(self, pcm: np.ndarray, *, endless: bool = True, size: int = 1280) -> None:
        self.condition, self.detail = "starting", ""
        self.dropped_blocks = self.overflows = 0
        self.backlog_s = 0.0
        self.starts = 0
        self._endless = endless
        self._blocks: Iterator[np.ndarray] = iter(
            [pcm[at : at + size] for at in range(0, len(pcm), size)]
        )

    def start(self) -> None:
        self.starts += 1
        self.condition = "starting"

    def stop(self) -> None:
        self.condition = "stopped"

    def finish(self) -> None:
        """End the sound when the list is through."""
        self._endless = False

    def read(self, timeout_s: float):
        if self.condition == "stopped":
            time.sleep(timeout_s)
            if not self._endless:
                self.condition = "ended"
            return None
        pcm = next(self._blocks, None)
        if pcm is None and not self._endless:
            self.condition = "ended"
            return None
        self.condition = "ok"
        if pcm is None:
            time.sleep(0.03)
            pcm = np.zeros(1280, np.int16)
        return Chunk(pcm=pcm)


def commands_pcm(count: int) -> np.ndarray:
    """`count` wakes, each followed by 1.5 s of silence."""
    one = np.zeros(24_000, np.int16)
    one[100] = 30_000
    return np.tile(one, count)
