"""What systemd hears, and how log lines carry their priority."""

import logging
import os
import socket

import pytest

from edgeasr.notify import JournalFormatter, Notifier


@pytest.fixture(params=["path", "abstract"])
def listener(request, tmp_path, monkeypatch):
    address = str(tmp_path / "notify") if request.param == "path" else f"@edgeasr-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(address.replace("@", "\0"))
        server.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        yield server


def test_each_notice_is_one_datagram(listener):
    notifier = Notifier()
    notifier.ready()
    notifier.alive()
    notifier.status("idle;\nmicrophone ok")
    notifier.stopping()
    heard = [listener.recv(1000).decode() for _ in range(4)]
    assert heard == ["READY=1", "WATCHDOG=1", "STATUS=idle; microphone ok", "STOPPING=1"]


def test_a_reload_carries_the_monotonic_clock(listener):
    Notifier().reloading()
    first, second = listener.recv(1000).decode().split("\n")
    assert first == "RELOADING=1"
    assert second.startswith("MONOTONIC_USEC=")


def test_without_systemd_nothing_happens(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Notifier().ready()
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    Notifier().ready()


@pytest.mark.parametrize(
    ("usec", "pid", "expected"),
    [("30000000", None, 30.0), ("30000000", "1", None), ("", None, None), ("soon", None, None)],
)
def test_the_watchdog_time_is_for_our_process_only(monkeypatch, usec, pid, expected):
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid or str(os.getpid()))
    assert Notifier().watchdog_s == expected


def test_every_line_of_a_record_has_its_priority():
    record = logging.LogRecord("n", logging.WARNING, "f", 1, "one\n%s", ("two",), None)
    assert JournalFormatter("%(message)s").format(record) == "<4>one\n<4>two"
