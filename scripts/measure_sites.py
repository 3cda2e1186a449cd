"""Measures what a site costs the broker: memory of an idle one, and time for its messages.

    python scripts/measure_sites.py [--sites 1000]

Connects as many sites as a daemon would: last will, subscriptions, retained state, settings and
Home Assistant's discovery message; then each publishes one command's messages.
"""

import argparse
import os
import resource
import socket
import tempfile
import time
from pathlib import Path

import paho.mqtt.client as mqtt
from measure_workers import mosquitto

from edgeasr.events import Transcript, Translation, Wake, Word
from edgeasr.homeassistant import HomeAssistantBridge
from edgeasr.homeassistant_rows import Slots
from edgeasr.mqtt_topics import Message, Topics, encode

_TICKS = os.sysconf("SC_CLK_TCK")


def broker_of(port: int) -> int:
    """Return the process id of the mosquitto on a port."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        arguments = path.read_bytes().split(b"\0")
        if b"mosquitto" in arguments[0] and len(arguments) > 2:
            config = Path(arguments[2].decode())
            if config.is_file() and f"listener {port} " in config.read_text():
                return int(path.parent.name)
    raise SystemExit("no mosquitto")


def rss_kb(process: int) -> int:
    """Return resident memory."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4


def cpu_s(process: int) -> float:
    """Return processor time, user and system."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def messages_of(bridge: HomeAssistantBridge, topics: Topics) -> list[Message]:
    """Return what one spoken command publishes."""
    words = tuple(Word(word="light", start_s=1.0, end_s=1.2, confidence=0.9) for _ in range(6))
    events = [
        Wake(at_s=1.0, session="s", word="computer", score=0.9, word_end_s=0.9, latency_s=0.1),
        Transcript(at_s=4.0, session="s", text="turn on the light in the kitchen",
                   display="Turn on the light in the kitchen", confidence=0.9, words=words,
                   start_s=1.0, end_s=3.0, reason="silence"),
        Translation(at_s=4.0, session="s", language="fr", text="allume la lumière de la cuisine",
                    source="turn on the light in the kitchen", source_language="en",
                    confidence=0.9),
    ]  # fmt: skip
    own = [Message(topic=topics.event(one), body=encode(one.to_fields())) for one in events]
    return own + [m for one in events for m in bridge.on_event(one, request=None).messages]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sites", type=int, default=1000)
    sites = parser.parse_args().sites
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder)) as port:
        broker = broker_of(port)
        before_kb, clients, sent = rss_kb(broker), [], 0
        for number in range(sites):
            topics = Topics("edgeasr", f"site-{number}")
            bridge = HomeAssistantBridge(
                Slots(topics=topics, words={"computer": 0.5, "jarvis": 0.5}, languages=["fr"]),
                prefix="homeassistant",
            )
            client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
            client.will_set(topics.status, "offline", 1, retain=True)
            client.connect("127.0.0.1", port, keepalive=3600)
            client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.loop(1.0)
            client.subscribe([(topics.commands, 1), *((one, 1) for one in bridge.subscriptions)])
            state = encode({"state": "idle", "microphone": "ok", "padding": "x" * 150})
            retained = [Message(topic=topics.status, body=b"online", retain=True),
                        Message(topic=topics.state, body=state, retain=True),
                        Message(topic=topics.settings, body=state * 2, retain=True)]  # fmt: skip
            for message in (*retained, *bridge.announce()):
                client.publish(message.topic, message.body, 1, message.retain)
            clients.append((client, bridge, topics))
        for client, *_ in clients:
            for _ in range(3):
                client.loop(0.01)
        time.sleep(1.0)
        idle_kb, cpu_before_s = rss_kb(broker), cpu_s(broker)
        discovery = len(clients[0][1].announce()[0].body)
        for client, bridge, topics in clients:
            for message in messages_of(bridge, topics):
                client.publish(message.topic, message.body, 1, message.retain)
                sent += len(message.body) + len(message.topic)
            client.loop(0.01)
        for client, *_ in clients:
            client.loop(0.01)
        time.sleep(1.0)
        count = len(messages_of(clients[0][1], clients[0][2]))
        spent_s = cpu_s(broker) - cpu_before_s
        print(f"load {os.getloadavg()[0]:.1f}, {sites} sites")
        print(f"discovery message: {discovery} bytes")
        print(f"broker memory per idle site: {(idle_kb - before_kb) / sites:.1f} kB")
        print(f"one command: {count} messages, {sent / sites:.0f} bytes with topics")
        print(f"broker time per command: {1000 * spent_s / sites:.2f} ms")


if __name__ == "__main__":
    main()
