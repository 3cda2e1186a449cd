"""The daemon as a process: signals, systemd's notices, raw sound from pipes, sudden death."""

import contextlib
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mqtt_help import Mosquitto, Subscriber, commands_pcm, eventually, report

HERE = Path(__file__).parent
ROOT = "edgeasr/den"
STARTED = []


class Process:
    """`fake_daemon.py` with a configuration; sound goes into a FIFO."""

    def __init__(self, folder, port, *, text="", **environment):
        self.folder = folder
        self.fifo = folder / "sound"
        self.config = folder / "edgeasr.toml"
        self.write(port, text)
        self.environment = {
            **os.environ, "PYTHONPATH": f"{HERE}:{HERE.parent}", **environment
        }  # fmt: skip
        self.process = None

    def write(self, port, text):
        self.config.write_text(
            f'[site]\nname = "den"\n[audio]\nsource = "fifo:{self.fifo}"\nstall_s = 0.5\n'
            f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\nretry_max_s = 1.0\n'
            f'[state]\nfolder = "{self.folder}/state"\n[outbox]\nmessages = 100000\n{text}'
        )

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "fake_daemon.py"), str(self.config)],
            env=self.environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        STARTED.append(self.process)
        assert eventually(self.fifo.exists, within_s=60)
        return self

    def hear(self, pcm):
        with self.fifo.open("wb") as fifo:
            fifo.write(pcm.tobytes())

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        log = self.process.communicate(timeout=60)[1]
        return self.process.returncode, log


@pytest.fixture(autouse=True)
def _no_process_is_left():
    yield
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_a_signal_ends_it_cleanly(tmp_path, broker, other):
    daemon = Process(tmp_path, broker.port).start()
    daemon.hear(commands_pcm(1))
    other.wait(f"{ROOT}/transcript")
    status, log = daemon.end()
    assert (status, "Traceback" in log) == (0, False)
    assert other.wait(f"{ROOT}/status", count=2) == [b"online", b"offline"]


def test_sighup_reads_live_settings_and_survives_mistakes(tmp_path, broker, other):
    daemon = Process(tmp_path, broker.port).start()
    other.wait(f"{ROOT}/settings")
    daemon.write(broker.port, '[translator]\nbeam = 9\ntargets = ["de"]\n')
    daemon.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: other.json(f"{ROOT}/settings")[-1]["beam"] == 9)
    assert other.json(f"{ROOT}/settings")[-1]["targets"] == ["de"]
    daemon.write(broker.port, "[translator]\nbeam = 99\n")
    daemon.process.send_signal(signal.SIGHUP)
    def told():
        errors = [error for error in other.json(f"{ROOT}/error")
                  if error["source"] == "configuration"]  # fmt: skip
        return errors and "beam = 99" in errors[0]["message"]

    assert eventually(told)
    assert daemon.end()[0] == 0


def test_systemd_is_told_of_readiness_and_life_and_of_deafness(tmp_path, broker, other):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(address)
        server.settimeout(10)
        daemon = Process(
            tmp_path, broker.port, text="",
            NOTIFY_SOCKET=address, WATCHDOG_USEC="30000000", JOURNAL_STREAM="1:1",
        )  # fmt: skip
        daemon.start()
        other.wait(f"{ROOT}/status")
        heard = drain(server, 0.6)
        assert "READY=1" not in heard  # no sound yet
        daemon.hear(commands_pcm(1))
        assert eventually(lambda: "READY=1" in heard + drain_into(server, heard))
        drain(server, 0.3)
        daemon.process.send_signal(signal.SIGSTOP)
        drain(server, 0.3)
        assert drain(server, 1.0) == []  # frozen: nothing feeds the watchdog
        daemon.process.send_signal(signal.SIGCONT)
        status, log = daemon.end()
        assert status == 0
        assert "STOPPING=1" in drain(server, 0.2)
    assert all(line[0] == "<" and line[2] == ">" for line in log.splitlines())


def drain(server, seconds):
    heard, until = [], time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        server.settimeout(left)
        try:
            heard.append(server.recv(1000).decode())
        except TimeoutError:
            break
    return heard


def drain_into(server, heard):
    heard += drain(server, 0.05)
    return heard


def test_kill_9_loses_no_result(tmp_path):
    die_at_random(tmp_path, times=3)


@pytest.mark.soak
def test_kill_9_at_100_random_moments_loses_no_result(tmp_path):
    die_at_random(tmp_path, times=int(os.environ.get("EDGEASR_KILLS", "100")))


def die_at_random(folder, *, times):
    """Every result that the daemon logged reaches a subscriber, though it is killed each time.

    Half of the lives are spent without a broker, so that the next one must send what was left.
    """
    rng = random.Random(3)
    broker = Mosquitto(folder)
    reader = Subscriber(broker.port, f"{ROOT}/transcript", f"{ROOT}/wake")
    logged = []
    for life in range(times):
        daemon = Process(folder, broker.port if life % 2 == 0 else 1).start()
        daemon.hear(commands_pcm(40)[: rng.randrange(40 * 24_000)])
        time.sleep(rng.random() * 0.3)
        _, log = daemon.end(signal.SIGKILL)
        logged += [line.split("session=")[1].split()[0].strip("'")
                   for line in log.splitlines() if ":transcript session=" in line]  # fmt: skip
        daemon.fifo.unlink()
    waiting = waits(folder)
    last, began_s = Process(folder, broker.port).start(), time.monotonic()
    assert eventually(
        lambda: set(logged) <= {body["session"] for body in reader.json(f"{ROOT}/transcript")},
        within_s=300,
    )
    assert eventually(lambda: waits(folder) == 0, within_s=300)
    last.end()
    received = list(dict.fromkeys(body["session"] for body in reader.json(f"{ROOT}/transcript")))
    took_s = time.monotonic() - began_s
    report(f"{times} lives, {len(logged)} transcripts logged, {len(received)} received; "
           f"{waiting} results left for the last life, sent after {took_s:.1f} s")  # fmt: skip
    assert [session for session in received if session in logged] == logged
    assert logged
    reader.close()
    broker.kill()


def waits(folder):
    """Return how many results are in the outbox; the file is sound."""
    with contextlib.closing(sqlite3.connect(folder / "state" / "outbox.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return database.execute("SELECT count(*) FROM outbox").fetchone()[0]
