"""The link to a real broker: announcing, losing, coming back, refusing, TLS, passwords."""

import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from mqtt_help import Mosquitto, Subscriber, eventually, free_port
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edgeasr.broker import EmbeddedBroker
from edgeasr.config import MqttConfig
from edgeasr.mqtt import LinkHandlers, MqttLink
from edgeasr.mqtt_topics import Message, Topics, encode, iso_time
from edgeasr.outbox import Outbox

TOPICS = Topics("edgeasr", "kitchen")
ROOT = TOPICS.root


class Running:
    """A link with its thread."""

    def __init__(
        self, port, *, outbox=None, password=None, on_message=None, announce=(), **options
    ):
        self.received = []
        self.outbox = outbox or Outbox(None, limit=1000, expiry_s=60)
        handlers = LinkHandlers(
            on_message=on_message or self.received.append, announce=lambda: list(announce)
        )
        config = MqttConfig(**{"host": "127.0.0.1", "port": port, "retry_max_s": 0.2, **options})
        self.link = MqttLink(
            config, TOPICS, password=password, outbox=self.outbox, handlers=handlers
        )
        self.thread = threading.Thread(target=self.link.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.link.stop()
        self.thread.join(60)
        assert not self.thread.is_alive()

    def is_connected(self):
        return eventually(lambda: self.link.connected)


def kept_on_disk(folder):
    return ("persistence true", f"persistence_location {folder}/", "max_queued_messages 0")


def test_it_announces_itself_and_says_good_bye(broker, other):
    state = Message(topic=TOPICS.state, body=b"{}", retain=True)
    with Running(broker.port, announce=[state]) as running:
        assert other.wait(TOPICS.status) == [b"online"]
        assert other.wait(TOPICS.state) == [b"{}"]
        assert running.link.description == "mqtt 5"
    assert other.wait(TOPICS.status, count=2) == [b"online", b"offline"]
    late = Subscriber(broker.port, TOPICS.status, TOPICS.state)
    assert late.wait(TOPICS.status) == [b"offline"]
    assert late.wait(TOPICS.state) == [b"{}"]
    assert (TOPICS.state, b"{}", True) in late.messages
    late.close()


def test_the_will_tells_of_a_death(broker, other):
    code = (
        "from test_mqtt import *\n"
        f"running = Running({broker.port}); running.__enter__(); running.is_connected()\n"
        "import os; os.kill(os.getpid(), 9)"
    )
    here = Path(__file__).parent
    environment = {"PYTHONPATH": f"{here}:{here.parent}"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert other.wait(TOPICS.status, count=2) == [b"online", b"offline"]


def test_a_late_will_of_an_earlier_life_is_corrected(broker, other):
    with Running(broker.port) as running:
        assert running.is_connected()
        other.send(TOPICS.status, b"offline", retain=True)
        assert eventually(lambda: other.bodies(TOPICS.status)[-1:] == [b"online"])
        assert eventually(lambda: other.bodies(TOPICS.status).count(b"online") == 2)


def test_commands_arrive_with_their_reply_topic(broker, other):
    asking = Subscriber(broker.port, "nothing", protocol=5)
    with Running(broker.port) as running:
        assert running.is_connected()
        properties = Properties(PacketTypes.PUBLISH)
        properties.ResponseTopic, properties.CorrelationData = "answers/me", b"\x01\x02"
        asking.client.publish(f"{ROOT}/command/listen", b"{}", 1, properties=properties)
        assert eventually(lambda: running.received)
    message = running.received[0]
    assert (message.topic, message.reply_to) == (f"{ROOT}/command/listen", "answers/me")
    assert message.correlation == b"\x01\x02"
    asking.close()


def test_an_exception_in_a_handler_does_not_make_it_deaf(broker, other):
    seen = []

    def explode(message):
        seen.append(message)
        raise RuntimeError("handler")

    with Running(broker.port, on_message=explode) as running:
        assert running.is_connected()
        for count in (1, 2, 3):
            other.send(f"{ROOT}/command/listen", b"{}")
            assert eventually(lambda count=count: len(seen) == count)


@pytest.mark.parametrize("protocol", ["auto", "3.1.1"])
def test_a_broker_that_knows_only_3_1_1_is_served(protocol):
    broker = EmbeddedBroker()
    thread = threading.Thread(target=broker.run, daemon=True)
    thread.start()
    broker.wait()
    other = Subscriber(broker.port)
    with Running(broker.port, protocol=protocol) as running:
        assert running.is_connected()
        assert running.link.description == "mqtt 3.1.1"
        assert other.wait(TOPICS.status) == [b"online"]
        other.send(f"{ROOT}/command/listen", b"{}")
        assert eventually(lambda: running.received)
        assert running.received[0].reply_to is None
    assert other.wait(TOPICS.status, count=2)[-1] == b"offline"
    other.close()
    broker.stop()
    thread.join(60)


def test_it_starts_without_a_broker_and_finds_it_later(tmp_path):
    broker = Mosquitto(tmp_path)
    broker.kill()
    with Running(broker.port) as running:
        running.outbox.add(f"{ROOT}/transcript", {"text": "early"})
        time.sleep(0.3)
        assert not running.link.connected
        broker.start()
        assert running.is_connected()
        assert eventually(lambda: len(running.outbox) == 0)
    broker.kill()


def test_results_survive_a_broker_that_keeps_dying(tmp_path):
    """Everything is received, first occurrences in order, though the broker restarts ten times.

    It keeps its sessions on disk, or it would itself lose what the subscriber has not read yet.
    """
    broker = Mosquitto(tmp_path, "allow_anonymous true", *kept_on_disk(tmp_path))
    count, topic = 300, f"{ROOT}/transcript"
    with Running(broker.port) as running:
        other = Subscriber(broker.port, topic, client_id="reader", clean_session=False)
        for number in range(count):
            running.outbox.add(topic, {"n": number})
            running.link.wake()
            if number % 30 == 15:
                broker.stop()
                broker.start()
                assert running.is_connected()
        assert eventually(lambda: len(running.outbox) == 0)
        assert running.link.connects >= 10
        assert eventually(lambda: {body["n"] for body in other.json(topic)} == {*range(count)})
        other.close()
    broker.kill()
    first = list(dict.fromkeys(body["n"] for body in other.json(topic)))
    assert first == list(range(count))


def test_nothing_is_deleted_before_the_broker_has_it(tmp_path):
    outbox = Outbox(None, limit=100, expiry_s=60)
    for number in range(5):
        outbox.add("t", {"n": number})
    with Running(free_port(), outbox=outbox):
        time.sleep(0.3)
    assert len(outbox) == 5


def test_partials_are_forgotten_while_there_is_no_broker():
    with Running(free_port()) as running:
        running.link.publish(Message(topic=f"{ROOT}/partial", body=b"p", qos=0))
        assert running.link.dropped == 1


def test_a_wrong_password_is_refused_and_the_right_one_taken(tmp_path):
    password_file = tmp_path / "passwords"
    subprocess.run(
        ["mosquitto_passwd", "-b", "-c", str(password_file), "edge", "right"], check=True
    )
    broker = Mosquitto(tmp_path, "allow_anonymous false", f"password_file {password_file}")
    with Running(broker.port, username="edge", password="wrong") as running:
        time.sleep(0.5)
        assert not running.link.connected
    with Running(broker.port, username="edge", password="right") as running:
        assert running.is_connected()
    broker.kill()


class Mute:
    """A broker that answers CONNECT, pings and, when asked to, SUBSCRIBE, but no message."""

    def __init__(self, *, subscribes):
        self.connects = 0
        self._subscribes = subscribes
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            client, _ = self._server.accept()
            self.connects += 1
            threading.Thread(target=self._talk, args=(client.makefile("rwb", 0),)).start()

    def _talk(self, client):
        while head := client.read(2):
            size = head[1]
            if size > 127:
                size += 128 * (client.read(1)[0] - 1)
            body = client.read(size) if size else b""
            kind = head[0] >> 4
            if kind == 1:
                client.write(b"\x20\x02\x00\x00")
            elif kind == 8 and self._subscribes:
                client.write(b"\x90\x04" + body[:2] + b"\x01\x01")
            elif kind == 12:
                client.write(b"\xd0\x00")


@pytest.mark.parametrize("subscribes", [False, True], ids=["subscription", "message"])
def test_a_broker_that_never_answers_is_left(monkeypatch, caplog, subscribes):
    monkeypatch.setattr("edgeasr.mqtt_connection._PATIENCE_S", 0.3)
    broker = Mute(subscribes=subscribes)
    with Running(broker.port, protocol="3.1.1") as running:
        running.outbox.add(f"{ROOT}/transcript", {"n": 1})
        assert eventually(lambda: broker.connects >= 3)
        assert len(running.outbox) == 1
        assert "does not answer" in caplog.text


def test_a_long_pause_between_attempts_is_no_freeze(monkeypatch):
    monkeypatch.setattr(MqttLink, "_delay_s", lambda _self, _attempts: 1000.0)
    with Running(free_port()) as running:
        assert eventually(lambda: running.link.turned_s > time.monotonic() + 500)


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def test_tls_with_client_certificates(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    script = Path(__file__).parents[1] / "deploy" / "mosquitto" / "make-certificates"
    subprocess.run([str(script), str(tmp_path / "pki"), "127.0.0.1", "kitchen"], check=True,
                   capture_output=True)  # fmt: skip
    pki = tmp_path / "pki"
    broker = Mosquitto(
        tmp_path, "allow_anonymous true", "require_certificate true",
        f"cafile {pki}/ca.crt", f"certfile {pki}/broker.crt", f"keyfile {pki}/broker.key",
    )  # fmt: skip
    files = {"ca_file": f"{pki}/ca.crt", "cert_file": f"{pki}/kitchen.crt",
             "key_file": f"{pki}/kitchen.key"}  # fmt: skip
    with Running(broker.port, **files) as running:
        assert running.is_connected()
        running.outbox.add(f"{ROOT}/transcript", {"long": "x" * 100_000})
        running.link.wake()
        assert eventually(lambda: len(running.outbox) == 0)
    with Running(broker.port, ca_file=files["ca_file"]) as running:
        time.sleep(0.5)
        assert not running.link.connected
    with Running(broker.port, tls=True, **{**files, "ca_file": ""}) as running:
        time.sleep(0.5)
        assert not running.link.connected  # an unknown authority is never trusted
    broker.kill()


def test_json_is_utf_8_whatever_the_text():
    assert encode({"text": "déjà \U0001f600"}).decode() == '{"text":"déjà \U0001f600"}'
    assert encode({"text": "\ud800"}) == b'{"text":"\\ud800"}'


def test_times_are_iso_8601_in_utc():
    assert iso_time(0.1234) == "1970-01-01T00:00:00.123Z"
