"""Commands and live settings: any bytes give a checked value or one clear refusal."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeasr.commands import (
    COMMANDS,
    Feedback,
    Listen,
    Mute,
    SetCommand,
    Transcribe,
    Translate,
    parse_command,
)
from edgeasr.config import Config
from edgeasr.config_file import parse_config
from edgeasr.errors import CommandError, ConfigError
from edgeasr.kept import keep, kept
from edgeasr.live import LIVE_KEYS, LiveSettings, change, live_settings

WORDS = ("computer", "jarvis")
LANGUAGES = ("fr", "de")


def parse(name, payload, limit=1000):
    if not isinstance(payload, bytes):
        payload = json.dumps(payload).encode()
    return parse_command(name, payload, max_audio_bytes=limit)


def live() -> LiveSettings:
    return live_settings(Config(), WORDS)


def test_each_command_is_understood():
    assert parse("listen", b"") == Listen()
    assert parse("listen", {"id": 7}) == Listen(id="7")
    assert parse("mute", True) == Mute(on=True)
    assert parse("mute", {"on": False, "id": "x"}) == Mute(on=False, id="x")
    assert parse("translate", {"text": "hi", "to": "fr"}) == Translate(text="hi", targets=("fr",))
    assert parse("translate", {"text": "hi"}).targets == ()
    assert parse("set", {"threshold": 0.4, "persist": True, "id": "a"}) == SetCommand(
        changes={"threshold": 0.4}, persist=True, id="a"
    )
    assert parse("feedback", {"kind": "false_wake"}) == Feedback(kind="false_wake")
    assert parse("transcribe", b"RIFF") == Transcribe(audio=b"RIFF")


@pytest.mark.parametrize(
    ("name", "payload", "told"),
    [
        ("dance", b"{}", "unknown command 'dance'; known: listen"),
        ("listen", b"\xff", "not UTF-8 at byte 0"),
        ("listen", b"{", "not JSON"),
        ("listen", [1], "send a JSON object"),
        ("listen", {"now": 1}, "unknown key 'now'"),
        ("listen", {"id": "with space"}, "printable ASCII"),
        ("listen", b"[" * 60_000, "nested too deeply"),
        ("listen", b" " * 70_000, "70000 bytes; at most"),
        ("mute", b"", 'send true, false or {"on": true}'),
        ("mute", "yes", "send a JSON object"),
        ("set", {}, "nothing to set"),
        ("set", b'{"threshold": NaN}', "NaN is not JSON"),
        ("set", {"threshold": 1, "persist": "yes"}, "persist"),
        ("translate", {"to": "fr"}, "text is missing"),
        ("translate", {"text": "x" * 2001}, "2001 characters"),
        ("translate", {"text": "x", "to": 3}, "to = 3"),
        ("feedback", {"kind": "meh"}, "false_wake, missed_wake"),
        ("transcribe", b"", "the body is empty"),
        ("transcribe", b"x" * 1001, "1001 bytes, at most 1000"),
    ],
)
def test_each_mistake_is_told_with_its_remedy(name, payload, told):
    with pytest.raises(CommandError) as raised:
        parse(name, payload)
    assert told in str(raised.value)
    assert len(str(raised.value)) < 400


@given(st.sampled_from(COMMANDS), st.binary(max_size=300))
@settings(max_examples=300)
def test_no_bytes_escape_the_parser(name, payload):
    with contextlib.suppress(CommandError):
        parse(name, payload)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(LIVE_KEYS), JSON, max_size=4))
@settings(max_examples=300)
def test_no_value_makes_settings_that_are_not_settings(changes):
    try:
        after = change(live(), changes, LANGUAGES)
    except CommandError:
        return
    assert 0 <= after.min_confidence <= 1
    assert all(word.threshold is None or 0 <= word.threshold <= 1 for word in after.words.values())
    assert set(after.targets) <= set(LANGUAGES)
    after.for_assistant()


def test_changes_are_made_together_or_not_at_all():
    before = live()
    with pytest.raises(CommandError, match="beam = 99: give 1 to 20"):
        change(before, {"threshold": 0.9, "beam": 99}, LANGUAGES)
    assert before == live()


def test_words_have_their_own_threshold_targets_refractory_time_and_switch():
    after = change(
        live(),
        {
            "words": {
                "computer": {"threshold": 0.8, "targets": ["de"], "refractory_s": 5},
                "jarvis": False,
            }
        },
        LANGUAGES,
    )
    own = after.for_assistant().words
    assert own.keys() == {"computer"}
    assert (own["computer"].threshold, own["computer"].targets) == (0.8, ("de",))
    assert own["computer"].refractory_s == 5
    back = change(after, {"words": {"jarvis": {"on": True, "threshold": 0.7}}}, LANGUAGES)
    assert back.for_assistant().words["jarvis"].threshold == 0.7
    cleared = change(after, {"words": {"computer": {"refractory_s": None}}}, LANGUAGES)
    assert cleared.words["computer"].refractory_s is None
    with pytest.raises(CommandError, match=r"words\.computer\.refractory_s = 61: give 0 to 60"):
        change(after, {"words": {"computer": {"refractory_s": 61}}}, LANGUAGES)


def test_unknown_words_and_languages_list_what_there_is():
    with pytest.raises(CommandError, match="unknown word; known: computer, jarvis"):
        change(live(), {"words": {"alexa": True}}, LANGUAGES)
    with pytest.raises(CommandError, match="there are: de, fr"):
        change(live(), {"targets": ["xx"]}, LANGUAGES)
    with pytest.raises(ConfigError, match=r"wake\.words\.alexa.*computer, jarvis"):
        live_settings(parse_config("[wake.words.alexa]\n"), WORDS)


def test_configured_words_turn_the_others_off():
    configured = live_settings(parse_config("[wake.words.jarvis]\nthreshold = 0.6\n"), WORDS)
    assert configured.for_assistant().words.keys() == {"jarvis"}


def test_hints_come_from_the_configuration_and_its_file(tmp_path):
    hints = tmp_path / "hints.txt"
    hints.write_text("# rooms\nthe attic  # up\n\ncellar\n", encoding="utf-8")
    text = f'[recogniser]\nhints = ["Alice"]\nhints_file = "{hints}"'
    assert live_settings(parse_config(text), WORDS).hints == ("Alice", "the attic", "cellar")


def test_kept_changes_are_merged_and_survive_damage(tmp_path, caplog):
    path = tmp_path / "state" / "settings.json"
    keep(path, {"threshold": 0.7})
    keep(path, {"beam": 2})
    assert kept(path) == {"threshold": 0.7, "beam": 2}
    path.write_text("{")
    assert kept(path) == {}
    assert "configuration holds" in caplog.text


def test_keeping_one_wake_word_does_not_forget_another(tmp_path):
    path = tmp_path / "settings.json"
    keep(path, {"words": {"jarvis": False}})
    keep(path, {"words": {"computer": {"threshold": 0.7}}})
    keep(path, {"words": {"jarvis": {"threshold": 0.4}}, "targets": ["fr"]})
    keep(path, {"targets": []})
    assert kept(path) == {
        "words": {"jarvis": {"on": False, "threshold": 0.4}, "computer": {"threshold": 0.7}},
        "targets": [],
    }
