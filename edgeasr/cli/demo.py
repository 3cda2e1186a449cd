"""`edgeasr demo`: real recordings through the daemon, on the screen and on MQTT.

The daemon runs as it would on a Pi, with an embedded broker; a second process subscribes to that
broker as any program of a user would, and the summary is made of what it received.
"""

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeasr.capture import FileSource
from edgeasr.cli.inputs import Commands
from edgeasr.config import Config, SiteConfig, StateConfig
from edgeasr.errors import ConfigError
from edgeasr.events import Event
from edgeasr.recordings import bundled_recordings

__all__ = ["add_parser"]

_COLOURS = {"wake": "35;1", "partial": "2", "transcript": "32;1", "translation": "36;1",
            "intent": "34", "no_speech": "33", "error": "31;1"}  # fmt: skip
_BROKER_WAIT_S = 10.0


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("demo", help="replay real recordings through the whole daemon")
    parser.add_argument("audio", nargs="*", type=Path, help="recordings (default: the bundled)")
    parser.add_argument("--fast", action="store_true", help="do not wait as the speaker did")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Play the recordings; return 1 when the subscriber missed a step of any of them."""
    from edgeasr import runtime  # noqa: PLC0415 - loads paho

    logging.getLogger("edgeasr").setLevel(logging.WARNING)
    recordings = arguments.audio or bundled_recordings()
    print(f"Playing {len(recordings)} recordings: {', '.join(path.stem for path in recordings)}\n")
    with tempfile.TemporaryDirectory(prefix="edgeasr-demo-") as folder:
        config = Config(site=SiteConfig(name="demo"), state=StateConfig(folder=folder))
        subscriber = _Subscriber(Path(folder) / "received.txt")
        hooks = runtime.Hooks(on_broker=subscriber.start, on_event=_show)
        source = FileSource(recordings, realtime=not arguments.fast)
        started = time.process_time()
        status = runtime.run(
            config, source=source, hooks=hooks, wait_for_broker_s=_BROKER_WAIT_S
        )
        spent_s = time.process_time() - started
        received = subscriber.stop()
    complete = _summarise(received, len(recordings), spent_s)
    return status or (0 if complete else 1)


class _Subscriber:
    """`edgeasr watch` in a process of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process: subprocess.Popen[str] | None = None

    def start(self, host: str, port: int) -> None:
        """Subscribe before the first sound."""
        command = [sys.executable, "-m", "edgeasr", "watch", "--raw", "--host", host,
                   "--port", str(port)]  # fmt: skip
        with self._path.open("w", encoding="utf-8") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command, stdout=out, stderr=subprocess.PIPE, text=True
            )
        assert self._process.stderr is not None
        if not self._process.stderr.readline().startswith("following"):
            raise ConfigError("the demo's subscriber could not reach the embedded broker")

    def stop(self) -> list[tuple[str, str]]:
        """Return topic and payload of every message that arrived."""
        assert self._process is not None
        self._process.terminate()
        self._process.communicate()
        lines = self._path.read_text(encoding="utf-8").splitlines()
        pairs = [line.partition(" ") for line in lines]
        return [(topic, payload) for topic, _, payload in pairs]


def _show(event: Event) -> None:
    fields = event.to_fields()
    name = fields["event"]
    text = fields.get("display") or fields.get("text") or fields.get("word") or ""
    said: dict[str, Callable[[], str]] = {
        "wake": lambda: f"score {fields['score']:.2f}, {fields['latency_s']:.2f} s after it",
        "transcript": lambda: f"confidence {fields['confidence']:.2f}",
        "translation": lambda: f"to {fields['language']}, confidence {fields['confidence']:.2f}",
        "no_speech": lambda: fields["reason"],
        "error": lambda: fields["message"],
    }
    extra = said[name]() if name in said else ""
    line = f"{fields['at_s']:7.2f} s  {name:12} {text}"
    if sys.stdout.isatty():
        line = f"\033[{_COLOURS.get(name, '0')}m{line}\033[0m"
    print(f"{line}{f'   ({extra})' if extra else ''}", flush=True)


def _summarise(received: list[tuple[str, str]], recordings: int, spent_s: float) -> bool:
    """Print what the subscriber saw; return whether every recording came through whole."""
    topics = Counter(topic.removeprefix("edgeasr/demo/") for topic, _ in received)
    print("\nReceived by a separate MQTT subscriber:")
    for topic, count in sorted(topics.items()):
        print(f"    {count:4}  edgeasr/demo/{topic}")
    sessions: dict[str, dict[str, Any]] = {}
    for topic, payload in received:
        step = topic.removeprefix("edgeasr/demo/")
        if step in ("wake", "transcript", "translation/fr"):
            fields = json.loads(payload)
            sessions.setdefault(fields["session"], {})[step] = fields
    print()
    whole = [steps for steps in sessions.values() if len(steps) == 3]
    for steps in whole:
        print(f"    wake word    {steps['wake']['word']}")
        print(f"    transcript   {steps['transcript']['display']}")
        print(f"    French       {steps['translation/fr']['text']}\n")
    print(f"{len(whole)} of {recordings} recordings went from wake word to translation, "
          f"with {spent_s:.1f} s of processor time.")  # fmt: skip
    return len(whole) >= recordings
