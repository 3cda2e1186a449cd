"""200 commands a second, and how late the wake word then is."""

import statistics
import threading
import time

import numpy as np
import pytest
from mqtt_help import ListSource, Mosquitto, Subscriber, report, script_runtime
from test_runtime import ROOT, Running

from edgeasr.runtime import Hooks

pytestmark = pytest.mark.soak
BLOCK_S = 0.08
EVERY = 25  # blocks between two wakes


class Realtime(ListSource):
    """A block every 80 ms, kept while nobody reads, as a microphone gives them."""

    def __init__(self, pcm):
        super().__init__(pcm, size=1280)
        self.began_s = None

    def read(self, timeout_s):
        self.began_s = self.began_s or time.monotonic()
        self.given = getattr(self, "given", 0)
        due_s = self.began_s + self.given * BLOCK_S
        wait_s = due_s - time.monotonic()
        self.backlog_s = max(0.0, -wait_s)
        if wait_s > timeout_s:
            time.sleep(timeout_s)
            return None
        time.sleep(max(0.0, wait_s))
        self.given += 1
        return super().read(timeout_s)


@pytest.mark.parametrize("per_s", [0, 200])
def test_commands_do_not_delay_the_wake_word(tmp_path, monkeypatch, per_s):
    script_runtime(monkeypatch)
    broker = Mosquitto(tmp_path)
    other = Subscriber(broker.port, f"{ROOT}/result", f"{ROOT}/status")
    pcm = np.zeros(1280 * EVERY * 12, np.int16)
    pcm[:: 1280 * EVERY] = 30_000
    source, delays_s = Realtime(pcm), []

    def heard(event):
        if event.NAME == "wake":
            number = len(delays_s) * EVERY
            delays_s.append(time.monotonic() - (source.began_s + number * BLOCK_S))

    ended = threading.Event()

    def send():
        began_s, sent = time.monotonic(), 0
        while not ended.is_set():
            while sent < (time.monotonic() - began_s) * per_s:
                other.send(f"{ROOT}/command/translate", {"text": "hello", "to": ["fr"]})
                sent += 1
            time.sleep(0.005)

    with Running(tmp_path, broker.port, source=source, hooks=Hooks(on_event=heard)) as running:
        other.wait(f"{ROOT}/status")
        sender = threading.Thread(target=send)
        sender.start()
        while len(delays_s) < 11 and running.thread.is_alive():
            time.sleep(0.1)
        ended.set()
        sender.join()
    answered = len(other.bodies(f"{ROOT}/result"))
    report(f"{per_s} commands/s: {answered} answered, wake after "
          f"{statistics.median(delays_s) * 1000:.1f} ms in the middle, "
          f"{max(delays_s) * 1000:.1f} ms at most")  # fmt: skip
    assert max(delays_s) < 0.1
    if per_s:
        assert answered > 200 * 11 * EVERY * BLOCK_S * 0.8
    other.close()
    broker.kill()
