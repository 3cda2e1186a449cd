"""Records reach a journal's socket with their fields."""

import io
import logging
import os
import socket
import struct

import pytest

from edgeasr.events import NoSpeech, Transcript, Wake, Word
from edgeasr.journal import JournalHandler, entry, event_fields, is_journal
from edgeasr.notify import log_for_journal

WAKE = Wake(at_s=2.0, session="a-1", word="computer", score=0.9, word_end_s=1.8, latency_s=0.2)


@pytest.fixture
def journal(tmp_path):
    """A socket in the journal's place; returns what arrives as fields."""
    address = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        receiver.settimeout(2)
        yield address, lambda: parse(receiver.recv(65_536))


def parse(datagram: bytes) -> dict[str, str]:
    """The journal's side of the protocol."""
    fields = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack("<Q", rest[:8])
            value, rest = rest[8 : 8 + length], rest[8 + length + 1 :]
        fields[name.decode()] = value.decode()
        datagram = rest
    return fields


@pytest.fixture
def log(journal):
    address, receive = journal
    shown = io.StringIO()
    handler = JournalHandler(logging.StreamHandler(shown), site="kitchen", address=address)
    logger = logging.getLogger("edgeasr.test_journal")
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield logger, receive, shown
    logger.removeHandler(handler)
    handler.close()


def test_an_event_is_found_by_its_fields(log):
    logger, receive, _ = log
    logger.info("wake computer", extra={"event": WAKE.to_fields()})
    fields = receive()
    assert fields["MESSAGE"] == "wake computer"
    assert (fields["PRIORITY"], fields["SITE_ID"], fields["SYSLOG_IDENTIFIER"]) == (
        "6", "kitchen", "edgeasr",
    )  # fmt: skip
    assert (fields["SESSION_ID"], fields["WAKE_WORD"], fields["WAKE_SCORE"]) == (
        "a-1", "computer", "0.9",
    )  # fmt: skip
    assert fields["LATENCY_MS"] == "200"
    assert len(fields["MESSAGE_ID"]) == 32
    assert fields["THREAD_NAME"] == "MainThread"


def test_a_traceback_stays_one_entry(log):
    logger, receive, _ = log
    try:
        int("two\nlines")
    except ValueError:
        logger.exception("failed")
    fields = receive()
    assert fields["PRIORITY"] == "3"
    assert fields["MESSAGE"].startswith("failed\nTraceback")
    assert "ValueError: invalid literal" in fields["MESSAGE"]
    assert fields["LOGGER"] == "edgeasr.test_journal"


def test_what_the_journal_does_not_take_goes_to_standard_error(tmp_path):
    shown = io.StringIO()
    missing = str(tmp_path / "missing")
    handler = JournalHandler(logging.StreamHandler(shown), site="x", address=missing)
    handler.handle(logging.LogRecord("edgeasr", logging.INFO, "x.py", 1, "hello", (), None))
    handler.close()
    assert shown.getvalue() == "hello\n"


def test_latency_and_kind_of_each_event():
    word = Word(word="hi", start_s=1.0, end_s=1.4, confidence=0.8)
    transcript = Transcript(
        at_s=2.0, session="s", text="hi", display="Hi", confidence=0.8, words=(word,),
        start_s=1.0, end_s=1.4, reason="silence",
    )  # fmt: skip
    silence = NoSpeech(at_s=2.0, session="s", reason="silence")
    ids = {event_fields(event.to_fields())["MESSAGE_ID"] for event in (WAKE, transcript, silence)}
    assert len(ids) == 3
    assert event_fields(transcript.to_fields())["LATENCY_MS"] == "600"
    assert "LATENCY_MS" not in event_fields(silence.to_fields())


@pytest.mark.parametrize("name", ["lower", "_PRIVATE", "A=B", "", "X" * 65])
def test_names_that_the_journal_refuses(name):
    with pytest.raises(ValueError, match="no field name"):
        entry({name: "value"})


def test_the_journal_is_used_only_when_standard_error_is_its_stream(tmp_path, monkeypatch):
    with (tmp_path / "stream").open("wb") as stream:
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        assert is_journal(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino + 1}")
        assert not is_journal(stream.fileno())
    monkeypatch.delenv("JOURNAL_STREAM")
    assert not is_journal()


def test_the_daemons_log_gets_the_handler_under_systemd(monkeypatch):
    monkeypatch.setattr("edgeasr.notify.is_journal", lambda: True)
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = [logging.StreamHandler(io.StringIO())]
    try:
        log_for_journal("info", site="kitchen")
        assert [type(handler) for handler in root.handlers] == [JournalHandler]
    finally:
        root.handlers, root.level = before, level
