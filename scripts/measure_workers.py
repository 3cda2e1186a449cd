"""Measures `edgeasr worker`: throughput and cost of 1, 2 and 4 workers, and a kill -9 in between.

    python scripts/measure_workers.py [--requests 40] [--pretend SECONDS] [--broker COMMAND]

Needs mosquitto, or the command of another broker, with {port} where its port belongs. The requests
are the bundled recordings. With --pretend the recogniser of the tests sleeps for so long instead:
what remains is the cost of the broker and of sharing.
"""

import argparse
import json
import os
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edgeasr.recordings import bundled_recordings

ROOT = Path(__file__).parents[1]


class Site:
    """Publishes utterances, notes when each answer came."""

    def __init__(self, port: int) -> None:
        self.sent: dict[str, float] = {}
        self.took: dict[str, float] = {}
        self.answers: list[dict] = []
        self.online: set[str] = set()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.max_inflight_messages_set(1000)
        self.client.on_message = self._received
        self.client.connect("127.0.0.1", port)
        self.client.subscribe([("edgeasr/bench/answers", 1), ("edgeasr/worker/+", 1)])
        self.client.loop_start()

    def _received(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        if not message.topic.endswith("/answers"):
            if message.payload == b"online":
                self.online.add(message.topic.rpartition("/")[2])
            return
        key = message.properties.CorrelationData.decode()
        if key not in self.took:
            self.took[key] = time.monotonic() - self.sent[key]
            self.answers.append(json.loads(message.payload))

    def ask(self, key: str, body: bytes) -> None:
        """Publish an utterance."""
        properties = Properties(PacketTypes.PUBLISH)
        properties.ResponseTopic = "edgeasr/bench/answers"
        properties.CorrelationData = key.encode()
        properties.MessageExpiryInterval = 3600
        self.sent[key] = time.monotonic()
        self.client.publish("edgeasr/bench/utterance", body, qos=1, properties=properties)

    def wait(self, count: int, within_s: float = 600.0) -> bool:
        """Wait for so many answers; return whether they came."""
        until_s = time.monotonic() + within_s
        while len(self.answers) < count and time.monotonic() < until_s:
            time.sleep(0.005)
        return len(self.answers) >= count


@contextmanager
def mosquitto(folder: Path, command: str = "") -> Iterator[int]:
    """Give the port of a broker; `command` starts another one than Mosquitto."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    process = subprocess.Popen(
        shlex.split(command.format(port=port)) or _mosquitto(folder, port),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await(port)
        yield port
    finally:
        process.kill()
        process.wait()


def _mosquitto(folder: Path, port: int) -> list[str]:
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        sys.exit("mosquitto is missing: sudo apt install mosquitto")
    (folder / "m.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    return [program, "-c", str(folder / "m.conf")]


def _await(port: int) -> None:
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("the broker does not listen")


def start(folder: Path, port: int, name: str, pretend_s: float) -> subprocess.Popen:
    """Start a worker, or one of the tests' when it is to pretend."""
    config = folder / "worker.toml"
    config.write_text(f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\n')
    tests = ROOT / "tests"
    own = [str(tests / "fake_worker.py"), str(config), name, str(pretend_s)]
    real = ["-m", "edgeasr", "worker", "--config", str(config), "--name", name]
    return subprocess.Popen(
        [sys.executable, *(own if pretend_s else real)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{tests}"}, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def measure(count: int, arguments: argparse.Namespace, *, kill: bool) -> str:
    """Return a row of the table."""
    requests, pretend_s = arguments.requests, arguments.pretend
    bodies = [path.read_bytes() for path in bundled_recordings()]
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name), arguments.broker) as port:
        site = Site(port)
        workers = [start(Path(name), port, f"w{at}", pretend_s) for at in range(count)]
        while len(site.online) < count:
            time.sleep(0.05)
        began_s = time.monotonic()
        for at in range(requests):
            site.ask(str(at), bodies[at % len(bodies)])
        if kill:
            site.wait(requests // 4)
            workers[-1].kill()
        complete = site.wait(requests, arguments.wait)
        took_s = time.monotonic() - began_s
        for worker in workers:
            worker.kill()
        site.client.loop_stop()
    cpu_s = [answer["cpu_s"] for answer in site.answers]
    audio_s = [answer["audio_s"] for answer in site.answers]
    return (
        f"| {count}{' (one killed)' if kill else ''} | {len(site.answers)} of {requests}"
        f"{'' if complete else ' (gave up)'} | {requests / took_s:.2f} | "
        f"{statistics.mean(audio_s):.2f} | {statistics.mean(cpu_s):.3f} | "
        f"{statistics.median(site.took.values()):.2f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--pretend", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--broker", default="", metavar="COMMAND", help="another, at {port}")
    parser.add_argument("--wait", type=float, default=600.0, metavar="SECONDS")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print("| workers | answered | requests/s | audio s | CPU s | median s to the answer |")
    print("|---|---|---|---|---|---|")
    for count in (1, 2, 4):
        print(measure(count, arguments, kill=False), flush=True)
    print(measure(4, arguments, kill=True), flush=True)


if __name__ == "__main__":
    main()
