"""500 utterances while the broker is restarted 50 times, and what waits when it was long away."""

import random
import threading
import time

import pytest
from mqtt_help import (
    ListSource,
    Mosquitto,
    Subscriber,
    commands_pcm,
    eventually,
    report,
    script_runtime,
)
from test_runtime import ROOT, Running

from edgeasr.config import MqttConfig
from edgeasr.mqtt import LinkHandlers, MqttLink
from edgeasr.mqtt_topics import Topics
from edgeasr.outbox import Outbox

pytestmark = pytest.mark.soak


class Paced(ListSource):
    """Blocks at a steady pace: 500 utterances last about as long as 50 restarts."""

    def read(self, timeout_s):
        time.sleep(0.008)
        return super().read(timeout_s)


@pytest.mark.parametrize("sudden", [False, True], ids=["restart", "kill -9"])
def test_every_transcript_arrives_in_order(tmp_path, monkeypatch, sudden):
    script_runtime(monkeypatch)
    broker = Mosquitto(
        tmp_path, "allow_anonymous true", "persistence true",
        f"persistence_location {tmp_path}/", "max_queued_messages 0",
        "autosave_on_changes true", "autosave_interval 1",
    )  # fmt: skip
    other = Subscriber(broker.port, f"{ROOT}/transcript", client_id="reader", clean_session=False)
    rng, made = random.Random(5), []
    with Running(tmp_path, broker.port, source=Paced(commands_pcm(500))) as running:
        assert eventually(lambda: running.source.condition == "ok", within_s=20)
        running.options.clear()
        for _ in range(50):
            time.sleep(rng.random() * 0.6)
            # A broker that is killed loses what it has not yet given to the reader; it is let
            # through first, since that loss would not be ours.
            if sudden:
                time.sleep(0.2)
                broker.kill()
            else:
                broker.stop()
            time.sleep(rng.random() * 0.3)
            broker.start()
        assert eventually(
            lambda: len({body["session"] for body in other.json(f"{ROOT}/transcript")}) >= 499,
            within_s=120,
        )
    made = list(dict.fromkeys(body["session"] for body in other.json(f"{ROOT}/transcript")))
    numbers = [int(session.rsplit("-", 1)[1]) for session in made]
    report(f"{len(numbers)} transcripts, {len(other.messages)} messages")
    assert numbers == sorted(numbers)
    if not sudden:
        assert numbers == list(range(1, 501))
    other.close()
    broker.kill()


def test_a_long_queue_drains_in_order(tmp_path):
    """What a night without a broker left; no write to the disk for each may set the pace."""
    broker = Mosquitto(tmp_path, "allow_anonymous true", "max_queued_messages 0")
    other = Subscriber(broker.port, f"{ROOT}/transcript")
    outbox = Outbox(tmp_path / "outbox.sqlite", limit=10_000, expiry_s=3600)
    for number in range(5000):
        outbox.add(f"{ROOT}/transcript", {"number": number})
    handlers = LinkHandlers(on_message=print, announce=list)
    config = MqttConfig(host="127.0.0.1", port=broker.port)
    link = MqttLink(
        config, Topics("edgeasr", "den"), password=None, outbox=outbox, handlers=handlers
    )
    thread, began_s = threading.Thread(target=link.run), time.monotonic()
    cpu_s = time.process_time()
    thread.start()
    assert eventually(lambda: len(outbox) == 0, within_s=300)
    took_s, cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
    assert eventually(lambda: len(other.messages) >= 5000)
    link.stop()
    thread.join(60)
    report(f"5,000 results in {took_s:.1f} s, {cpu_s:.1f} s of processor time")
    numbers = [body["number"] for body in other.json(f"{ROOT}/transcript")]
    assert numbers == list(range(5000))
    other.close()
    broker.kill()
