"""The status page: its server alone, fed by the daemon, and in a real browser."""

import base64
import http.client
import json
import re
import socket
import threading
import time
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from browser_help import Browser
from mqtt_help import (
    ListSource,
    ScriptedAssistant,
    commands_pcm,
    eventually,
    free_port,
    scripted_models,
)

import edgeasr.http_protocol
from edgeasr.config_file import parse_config
from edgeasr.errors import CommandError, ConfigError
from edgeasr.events import Error, Transcript, Translation, Wake, Word
from edgeasr.http_board import Board, View, attention_fields
from edgeasr.http_metrics import Tally, metrics_text
from edgeasr.http_protocol import MAX_BODY_BYTES, is_own_host
from edgeasr.http_server import PageServer

TOKEN = "a very secret token"
STATUS = {
    "site": "kitchen", "version": "1.2.3", "state": "idle", "microphone": "ok",
    "microphone_detail": "USB", "broker": "mqtt 5", "hints": 2, "languages": ["de", "fr"],
    "thresholds": {"computer": 0.6},
    "settings": {
        "words": {
            "computer": {"on": True, "threshold": None, "targets": None},
            "jarvis": {"on": False, "threshold": None, "targets": None},
        },
        "min_confidence": 0.3, "end_silence_ms": 500, "start_timeout_ms": 5000,
        "max_utterance_ms": 15000, "refractory_s": 2.0, "beam": 4, "targets": ["fr"],
        "muted": False,
    },
    "metrics": {
        "uptime_s": 61.0, "cpu_s": 2.5, "rss_mb": 120.0, "threads": 4, "stream_s": 60.0,
        "backlog_s": 0.0, "dropped_blocks": 3, "overflows": 0, "gaps": 0, "shed_partials": 0,
        "refused_commands": 0, "connects": 1, "unsent": 0, "recordings": 0,
        "outbox": {"waiting": 7, "dropped": 0, "expired": 0, "healthy": True},
        "stages": {"idle": {"calls": 10, "total_s": 0.1, "longest_ms": 12.0}},
    },
}  # fmt: skip
SAID = "turn on the <b>light</b>"
EVENTS = (
    Wake(at_s=1.2, session="s", word="computer", score=0.9, word_end_s=1.0, latency_s=0.2),
    Transcript(
        at_s=3.0, session="s", text=SAID, display=SAID, confidence=0.91, start_s=1.2, end_s=2.4,
        reason="silence", words=(Word(word="turn", start_s=1.2, end_s=2.4, confidence=0.9),),
    ),
    Translation(
        at_s=3.0, session="s", language="fr", text="allume la lumière", source=SAID,
        source_language="en", confidence=0.8, doubtful=False,
    ),
)  # fmt: skip


class Page:
    """A server in a thread of its own."""

    def __init__(self, **options: object) -> None:
        self.board = Board()
        self.commands: list[tuple[str, bytes]] = []
        self.server = PageServer("127.0.0.1:0", self.board, command=self._command, **options)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def stop(self) -> None:
        self.server.stop()
        self.thread.join(60)
        assert not self.thread.is_alive()

    def _command(self, name: str, body: bytes) -> None:
        if name == "wrong":
            raise CommandError("give another")
        self.commands.append((name, body))

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str):
        """Return status, headers and body."""
        client = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        client.request(method, path, body, headers)
        answer = client.getresponse()
        return answer.status, answer.headers, answer.read()

    def raw(self, *parts: bytes) -> bytes:
        """Return what comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as client:
            try:
                for part in parts:
                    client.sendall(part)
                return b"".join(iter(lambda: client.recv(4096), b""))
            except ConnectionError:
                return b"reset"

    def watch(self) -> "Watcher":
        return Watcher(self.server.port)

    def play(self) -> None:
        """Show a status and a command."""
        self.board.status(STATUS)
        for event in EVENTS:
            self.board.event({**event.to_fields(), "unix_s": 1_700_000_000.0})
        pieces, weights = (["▁turn", "</s>"], ["▁allume", "</s>"]), [[0.8, 0.2], [0.1, 0.9]]
        self.board.attention(attention_fields("fr", *pieces, np.array(weights, np.float32)))


class Watcher:
    """Reads the live stream."""

    def __init__(self, port: int) -> None:
        self.client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.client.request("GET", "/events")
        self.answer = self.client.getresponse()

    def next(self, kind: str) -> dict:
        """The next message of a kind."""
        while True:
            line = self.answer.readline().decode().strip()
            assert line or not self.answer.closed
            if line == f"event: {kind}":
                return json.loads(self.answer.readline().decode().removeprefix("data: "))


@pytest.fixture
def page():
    page = Page()
    yield page
    page.stop()


@pytest.fixture
def own_page():
    """A page that may change settings."""
    page = Page(token=TOKEN)
    yield page
    page.stop()


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/sound.js", "/icon.svg"])
def test_files_come_whole_and_may_load_nothing_from_elsewhere(page, path):
    status, headers, body = page.ask("GET", path)
    assert status == 200
    assert int(headers["Content-Length"]) == len(body) > 100
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    outside = set(re.findall(rb"https?://[^\"' ]+", body)) - {b"http://www.w3.org/2000/svg"}
    assert not outside
    assert page.ask("HEAD", path)[2] == b""


def test_what_is_not_there_is_refused(page):
    assert page.ask("GET", "/../config.py")[0] == 404
    assert page.ask("GET", "/nothing")[0] == 404
    assert page.ask("DELETE", "/")[0] == 405
    assert page.ask("GET", "/command/listen")[0] == 405


def test_a_browser_gets_the_past_first_and_then_what_happens(page):
    page.play()
    assert eventually(lambda: json.loads(page.ask("GET", "/status.json")[2]))
    watcher = page.watch()
    assert watcher.answer.headers["Content-Type"] == "text/event-stream"
    hello = watcher.next("hello")
    assert hello["status"] == STATUS
    assert [event["event"] for event in hello["events"]] == ["wake", "transcript", "translation"]
    assert hello["attention"][0]["weights"] == [[0.8, 0.2], [0.1, 0.9]]
    assert hello["writable"] is False
    page.board.event({"event": "partial", "text": "turn", "session": "t", "at_s": 9.0})
    assert watcher.next("event")["text"] == "turn"


def test_sound_is_kept_only_while_somebody_looks(page):
    pcm = np.zeros(1280, np.int16)
    page.board.sound(pcm, {"computer": 0.1}, at_s=0.08)
    assert page.board.take() == []
    watcher = page.watch()
    watcher.next("hello")
    page.board.sound(pcm, {"computer": 0.1}, at_s=0.16)
    shown = watcher.next("sound")
    assert shown["scores"] == [{"computer": 0.1}]
    assert shown["level_db"] == -96.0


def test_a_tone_lights_its_mel_band():
    view, seconds = View(), np.arange(16_000) / 16_000
    pcm = (np.sin(2 * np.pi * 1000 * seconds) * 16_384).astype(np.int16)
    board = Board()
    board.watched = True
    for at in range(0, len(pcm), 1280):
        board.sound(pcm[at : at + 1280], {"computer": 0.5}, at_s=at / 16_000)
    fields = json.loads(view.add(board.take())[0].decode().split("data: ", 1)[1])
    columns = np.frombuffer(base64.b64decode(fields["mel"]), np.uint8).reshape(-1, 80)
    assert abs(len(columns) - 50) <= 2  # of 20 ms
    # Slaney's scale is linear up to 1 kHz, which is 15 of its 45.2 mel.
    assert set(columns[5:].argmax(axis=1)) <= {25, 26, 27}
    assert (fields["peak_db"], fields["level_db"]) == (-6.0, -9.0)


def test_a_page_without_a_token_changes_nothing(page):
    status, _, body = page.ask("POST", "/command/listen", b"{}")
    assert (status, page.commands) == (403, [])
    assert "token_file" in json.loads(body)["message"]


def test_the_token_opens_commands(own_page):
    right = f"Bearer {TOKEN}"
    assert own_page.ask("POST", "/command/mute", b"true")[0] == 401
    assert own_page.ask("POST", "/command/mute", b"true", Authorization="Bearer no")[0] == 401
    assert own_page.commands == []
    assert own_page.ask("POST", "/command/mute", b"true", Authorization=right)[0] == 202
    assert own_page.commands == [("mute", b"true")]
    status, _, body = own_page.ask("POST", "/command/wrong", b"{}", Authorization=right)
    assert (status, json.loads(body)["message"]) == (400, "give another")


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"\x16\x03\x01\x02\r\n\r\n", b"400"),
        (b"GET\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"GET http://x/ HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", b"431"),
        (b"POST /x HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1), b"413"),
        (b"POST /command/set HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /command/set HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"421"),
        (b"GET /events HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"421"),
        (b"GET / HTTP/1.1\r\n\r\n", b"421"),
    ],
)
def test_a_bad_request_gets_its_status_and_nothing_else_suffers(page, sent, answer):
    assert page.raw(sent).split(b" ")[1:2] in ([answer], [])  # a reset may overtake the answer
    assert page.ask("GET", "/")[0] == 200


def test_a_request_that_never_ends_is_given_up(page, monkeypatch):
    monkeypatch.setattr(edgeasr.http_protocol, "READ_S", 0.2)
    assert b" 408 " in page.raw(b"GET / HTTP/1.1\r\n")


def test_only_so_many_browsers_are_served(page):
    watchers = [page.watch() for _ in range(8)]
    for watcher in watchers:
        watcher.next("hello")
    assert page.watch().answer.status == 503
    assert page.ask("GET", "/")[0] == 200


def test_a_browser_that_does_not_read_is_dropped_and_nobody_waits_for_it(page):
    with socket.create_connection(("127.0.0.1", page.server.port)) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert eventually(lambda: page.board.watched)
        reader = page.watch()
        began_s, longest_s, count = time.monotonic(), 0.0, 0
        while len(page.server._watchers) > 1:
            for _ in range(20):
                put_s = time.monotonic()
                page.board.event({"event": "partial", "text": "x" * 50_000, "session": "s"})
                longest_s = max(longest_s, time.monotonic() - put_s)
            for _ in range(20):
                reader.next("event")
            count += 20
            assert time.monotonic() - began_s < 20
        assert count > 50
    assert longest_s < 0.05


def test_a_full_inbox_drops_the_oldest_and_counts():
    board = Board()
    for number in range(600):
        board.event({"event": "partial", "text": str(number)})
    assert board.dropped == 600 - len(board.take())
    assert board.dropped > 0


def test_metrics_are_in_the_text_format():
    tally = Tally()
    for event in EVENTS:
        tally.event(event.to_fields())
    tally.event(Error(at_s=1.0, source="x", message='a "quoted"\nline').to_fields())
    lines = metrics_text(STATUS, tally).splitlines()
    sample = re.compile(r'edgeasr_[a-z_]+(\{([a-z]+="[^"\n]*",?)+\})? [0-9.e+-]+')
    for line in lines:
        assert line.startswith(("# HELP edgeasr_", "# TYPE edgeasr_")) or sample.fullmatch(line)
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert values["edgeasr_outbox_waiting"] == "7"
    assert values["edgeasr_resident_memory_bytes"] == "120000000"
    assert values['edgeasr_wake_threshold{word="computer"}'] == "0.6"
    assert values['edgeasr_events_total{event="error"}'] == "1"
    assert values['edgeasr_transcript_latency_seconds_bucket{le="0.5"}'] == "0"
    assert values['edgeasr_transcript_latency_seconds_bucket{le="0.75"}'] == "1"
    assert values["edgeasr_transcript_latency_seconds_sum"] == "0.600"
    declared = [line.split(" ")[2] for line in lines if line.startswith("# TYPE")]
    assert len(declared) == len(set(declared))


def test_prometheus_own_parser_reads_them(page):
    parser = pytest.importorskip("prometheus_client.parser", reason="pip install prometheus_client")
    page.play()
    assert eventually(lambda: b"edgeasr_info" in page.ask("GET", "/metrics")[2])
    families = list(parser.text_string_to_metric_families(page.ask("GET", "/metrics")[2].decode()))
    assert len(families) > 25


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1:8090", True), ("[::1]:8090", True), ("[::1]", True), ("localhost", True),
        ("192.168.1.5:80", True), ("pi.lan:80", True), ("evil.example", False), ("", False),
        ("127.0.0.1.evil.example:80", False),
    ],
)  # fmt: skip
def test_only_own_host_names_are_answered(host, own):
    assert is_own_host(host, "pi.lan") is own


def test_an_address_that_can_not_be_had_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError, match=re.escape(where)):
            PageServer(where, Board())


@pytest.mark.parametrize("where", ["8090", ":8090"])
def test_an_address_without_a_host_is_not_opened_to_everybody(where):
    with pytest.raises(ConfigError, match="give HOST:PORT"):
        PageServer(where, Board())


def test_too_large_a_map_is_left_out():
    assert attention_fields("fr", [], [], np.zeros((100, 10), np.float32)) is None


class SeenAssistant(ScriptedAssistant):
    """The scripted one, with what the page wants to know."""

    latest_scores: ClassVar = {"computer": 0.25, "jarvis": 0.0}
    translations: ClassVar = {}


def test_the_daemon_feeds_the_page_and_takes_its_commands(tmp_path, monkeypatch, broker, other):
    import edgeasr.runtime  # noqa: PLC0415 - heavy

    monkeypatch.setattr(edgeasr.runtime, "Assistant", SeenAssistant)
    monkeypatch.setattr(edgeasr.runtime, "models_of", lambda _config: scripted_models())
    port = free_port()
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    config = parse_config(
        f'[site]\nname = "den"\n[http]\nlisten = "127.0.0.1:{port}"\ntoken_file = "{token}"\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n[state]\nfolder = "{tmp_path}/state"\n'
    )
    source = ListSource(commands_pcm(1))
    thread = threading.Thread(target=edgeasr.runtime.run, args=(config,), kwargs={"source": source})
    thread.start()
    try:
        assert eventually(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        hello = Watcher(port).next("hello")
        watcher = Watcher(port)
        assert watcher.next("sound")["scores"][0]["computer"] == 0.25
        assert hello["writable"] is True
        status = watcher.next("status")
        assert status["thresholds"] == {"computer": 0.5, "jarvis": 0.5}
        headers = {"Authorization": f"Bearer {TOKEN}"}

        def post(name: str, body: object) -> tuple[int, dict]:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            client.request("POST", f"/command/{name}", json.dumps(body), headers)
            answer = client.getresponse()
            return answer.status, json.loads(answer.read())

        assert post("set", {"threshold": 7})[0] == 400
        assert "known: listen" in post("transcribe", {})[1]["message"]
        assert post("set", {"words": {"jarvis": {"threshold": 0.7}}})[0] == 202
        assert eventually(lambda: watcher.next("status")["thresholds"]["jarvis"] == 0.7)
        assert post("listen", {})[0] == 202
        assert eventually(lambda: watcher.next("event")["event"] == "translation")
        assert post("mute", {"on": True})[0] == 202
        assert eventually(lambda: watcher.next("status")["state"] == "muted")
        assert post("listen", {})[0] == 400
        results = other.wait_json("edgeasr/den/result", count=3)
        assert [result["command"] for result in results] == ["set", "listen", "mute"]
    finally:
        source.finish()
        thread.join(60)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


TEXTS = "document.getElementById('said')?.textContent"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_all_of_it_at_any_width(page, browser, scheme):
    page.play()
    browser.look(width=1280, height=900, scheme=scheme)
    browser.open(f"http://127.0.0.1:{page.server.port}/")
    browser.wait(f"{TEXTS} === {json.dumps(SAID)}")  # as text: no element was made of it
    assert browser.evaluate("document.querySelectorAll('#said *').length") == 0
    assert "allume la lumière" in browser.evaluate("document.body.innerText")
    assert browser.evaluate("document.querySelectorAll('#attention td').length") == 4
    assert browser.evaluate("document.getElementById('unlock').hidden")
    loud = (np.random.default_rng(5).standard_normal(1280) * 8000).astype(np.int16)
    assert eventually(lambda: page.board.watched)
    for block in range(40):
        page.board.sound(loud, {"computer": 0.55}, at_s=block * 0.08)
    browser.wait("document.getElementById('rms').style.width > '6'")
    pixel = "Array.from(document.getElementById('%s').getContext('2d').getImageData(%s).data)"
    time.sleep(0.3)  # a frame is drawn
    wide = browser.evaluate("document.getElementById('spectrogram').width")
    lit = browser.evaluate(pixel % ("spectrogram", f"{wide - 40}, 90, 1, 1"))
    blank = browser.evaluate(pixel % ("spectrogram", "40, 90, 1, 1"))
    assert lit != blank
    for width in (1280, 390, 320):
        browser.look(width=width, height=844, scheme=scheme)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.errors == []


def test_a_browser_with_the_token_changes_settings(own_page, browser):
    own_page.play()
    browser.look(width=390, height=844)
    browser.open(f"http://127.0.0.1:{own_page.server.port}/")
    browser.wait(f"{TEXTS} === {json.dumps(SAID)}")
    assert browser.evaluate("document.getElementById('actions').hidden")
    browser.evaluate(
        f"token.value = {json.dumps(TOKEN)}; document.querySelector('#unlock button').click()"
    )
    browser.wait("!document.getElementById('actions').hidden")
    browser.evaluate("document.getElementById('listen').click()")
    browser.evaluate(
        "const input = document.querySelector('[aria-label=\"threshold of computer\"]');"
        "input.value = '0.72'; input.onchange()"
    )
    assert eventually(lambda: len(own_page.commands) == 2)
    wanted = {"words": {"computer": {"threshold": 0.72}}, "persist": True}
    sent = {name: json.loads(body) for name, body in own_page.commands}
    assert sent == {"listen": {}, "set": wanted}
    browser.evaluate("document.querySelector('[aria-label=\"translate to de\"]').click()")
    assert eventually(lambda: len(own_page.commands) == 3)
    assert json.loads(own_page.commands[2][1]) == {"targets": ["de", "fr"], "persist": True}


def test_a_config_section_is_all_that_turns_it_on():
    config = parse_config('[http]\nlisten = "127.0.0.1:8090"\n')
    assert replace(config.http, listen="") == parse_config("").http
