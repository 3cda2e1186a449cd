"""Several sites hear the same wake word; the one that hears it best answers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from mqtt_help import ListSource, ScriptedAssistant, Subscriber, eventually, script_runtime
from test_runtime import Running

from edgeasr.arbitration import Arbiter
from edgeasr.config import ArbitrationConfig
from edgeasr.events import Partial, Wake
from edgeasr.features import LogMel
from edgeasr.loudness import snr_db
from edgeasr.mqtt_topics import Topics

WINDOW_S = 0.25


def wake(session="s1", *, word="computer", score=0.9, snr=20.0):
    return Wake(at_s=1.0, session=session, word=word, score=score, snr_db=snr,
                word_end_s=0.9, latency_s=0.1)  # fmt: skip


class Table:
    """An arbiter of the site `den` with a clock to be moved by hand."""

    def __init__(self, *, others=("attic",), **options):
        self.now_s = 100.0
        self.connected = True
        self.sent = []
        self.arbiter = Arbiter(
            ArbitrationConfig(window_s=WINDOW_S, **options), Topics("edgeasr", "den"),
            publish=self.sent.append, connected=lambda: self.connected, clock=lambda: self.now_s,
        )  # fmt: skip
        for site in others:
            self.arbiter.message(f"edgeasr/{site}/status", b"online")

    def bid(self, site="attic", *, score=0.9, snr=30.0):
        body = json.dumps({"site": site, "word": "computer", "score": score, "snr_db": snr})
        self.arbiter.message(f"edgeasr/{site}/bid", body.encode())

    def hear(self, *events, after_s=0.0):
        """Return the names of the events that are told, and the session that was lost."""
        self.now_s += after_s
        told, lost = self.arbiter.admit([(event, None) for event in events])
        return [event.NAME for event, _ in told], lost


PARTIAL = Partial(at_s=1.1, session="s1", text="turn")


def test_alone_nothing_is_held_back():
    for table in (Table(others=()), Table(on=False)):
        assert table.hear(wake()) == (["wake"], None)
        assert table.sent == []
    lost_broker = Table()
    lost_broker.connected = False
    assert lost_broker.hear(wake()) == (["wake"], None)


def test_a_site_that_left_is_waited_for_no_more():
    table = Table()
    table.arbiter.message("edgeasr/attic/status", b"offline")
    assert table.hear(wake()) == (["wake"], None)


def test_without_a_better_bid_the_events_come_after_the_window():
    table = Table()
    assert table.hear(wake()) == ([], None)
    (message,) = table.sent
    assert message.topic == "edgeasr/den/bid"
    assert json.loads(message.body)["snr_db"] == 20.0
    table.bid(snr=10.0)
    assert table.hear(PARTIAL, after_s=0.1) == ([], None)
    assert table.hear(after_s=WINDOW_S) == (["wake", "partial"], None)
    assert table.arbiter.yielded == 0


def test_a_better_bid_takes_the_utterance_and_drops_what_was_held():
    table = Table()
    table.hear(wake(), PARTIAL)
    table.bid(snr=31.0)
    assert table.hear(PARTIAL, after_s=0.1) == ([], "s1")
    assert not table.arbiter.deciding
    assert table.arbiter.yielded == 1
    assert table.hear(wake("s2"), after_s=2.0) == ([], None)  # the next word is a new matter
    assert table.hear(after_s=WINDOW_S) == (["wake"], None)


def test_who_wakes_later_yields_to_a_better_or_a_decided_bid_without_a_word():
    for age_s, snr in ((0.05, 31.0), (WINDOW_S, 0.0)):
        table = Table()
        table.bid(snr=snr)
        assert table.hear(wake(), after_s=age_s) == ([], "s1")
        assert table.sent == []


def test_two_sites_that_bid_at_once_agree_on_one():
    for mine, other in ((20.0, 20.0), (20.0, 21.0), (21.0, 20.0)):
        den = Table()
        attic = Arbiter(
            ArbitrationConfig(window_s=WINDOW_S), Topics("edgeasr", "attic"),
            publish=lambda message, den=den: den.arbiter.message(message.topic, message.body),
            connected=lambda: True, clock=lambda den=den: den.now_s,
        )  # fmt: skip
        attic.message("edgeasr/den/status", b"online")
        den.hear(wake(snr=mine))
        attic.admit([(wake("s9", snr=other), None)])
        attic.message("edgeasr/den/bid", den.sent[0].body)
        told, lost = den.hear(after_s=WINDOW_S)
        attic_told, attic_lost = attic.admit([])
        assert (told, lost) == (["wake"], None) or (attic_told, attic_lost) != ([], None)
        assert bool(told) != bool(attic_told)
        assert (lost is None) != (attic_lost is None)


def test_a_command_to_listen_is_no_matter_of_others():
    table = Table()
    table.bid()
    assert table.hear(wake(word="")) == (["wake"], None)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[]", b"{}", b"3", b'{"score": NaN, "snr_db": 1}', b"[" * 900,
     b'{"score": 1e999, "snr_db": 9}', b'{"score": 2, "snr_db": 9}', b'{"score": 1, "snr_db": -1}',
     b'{"score": "x", "snr_db": {}}', b'{"score": 0.9, "snr_db": 90, "x": "' + b"y" * 1000 + b'"}'],
    ids=range(12),
)  # fmt: skip
def test_what_is_no_bid_changes_nothing(body):
    table = Table()
    table.arbiter.message("edgeasr/attic/bid", body)
    table.arbiter.message("edgeasr/den/bid", b'{"score": 1, "snr_db": 60}')  # our own comes back
    table.hear(wake())
    assert table.hear(after_s=WINDOW_S) == (["wake"], None)


def test_nearer_means_more_decibels(recordings, noise):
    pcm = next(iter(recordings.values())).astype(np.float64)[:32_000]
    room = noise(2.0).astype(np.float64)
    near, far = (
        snr_db(LogMel()((pcm * gain + room).clip(-32768, 32767).astype(np.int16)))
        for gain in (1.0, 0.1)
    )
    assert near > far + 6
    assert snr_db(LogMel()(noise(2.0))) < 6
    assert snr_db(LogMel()(np.zeros(32_000, np.int16))) == 0.0


class Surer(ScriptedAssistant):
    """The louder, the surer."""

    def push(self, pcm):
        self._peak = int(pcm.max(initial=0)) / 32768
        return super().push(pcm)

    def _start(self, word, score):
        return super()._start(word, self._peak if word else score)


class Ear(ListSource):
    """Silence until `say`."""

    def __init__(self):
        super().__init__(np.zeros(0, np.int16))
        self._level = 0

    def say(self, level):
        self._level = level

    def read(self, timeout_s):
        chunk = super().read(timeout_s)
        if chunk is None or not self._level:
            return chunk
        level, self._level = self._level, 0
        return replace(chunk, pcm=np.full(1280, level, np.int16))


class Site(Running):
    def __init__(self, folder, port, name):
        super().__init__(folder / name, port, source=Ear())
        self.config = replace(
            self.config,
            site=replace(self.config.site, name=name),
            arbitration=ArbitrationConfig(window_s=2.0),  # the machine may be busy
        )

    def wait(self, other):
        """Wait until it hears."""
        name = self.config.site.name
        other.wait(f"edgeasr/{name}/status")
        states = f"edgeasr/{name}/state"
        assert eventually(lambda: "ok" in [state["microphone"] for state in other.json(states)])


def test_of_two_daemons_only_the_nearer_one_speaks(tmp_path, broker, monkeypatch):
    script_runtime(monkeypatch)
    monkeypatch.setattr("edgeasr.runtime.Assistant", Surer)
    other = Subscriber(broker.port)
    with Site(tmp_path, broker.port, "den") as den, Site(tmp_path, broker.port, "attic") as attic:
        den.wait(other)
        attic.wait(other)
        for near, far, names in ((den, attic, "den attic"), (attic, den, "attic den")):
            winner, loser = names.split()
            before = [len(other.bodies(f"edgeasr/{site}/wake")) for site in (winner, loser)]
            near.source.say(32_000)
            far.source.say(22_000)
            other.wait(f"edgeasr/{winner}/wake", count=before[0] + 1)
            other.wait(f"edgeasr/{winner}/transcript", count=before[0] + 1)
            assert len(other.bodies(f"edgeasr/{loser}/wake")) == before[1]
        assert other.bodies("edgeasr/den/bid")
    assert len(other.bodies("edgeasr/den/transcript")) == 1
    assert len(other.bodies("edgeasr/attic/transcript")) == 1
    other.close()
