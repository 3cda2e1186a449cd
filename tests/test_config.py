"""The configuration: what is accepted, and how every mistake is told."""

import contextlib
import re
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeasr.config import Config, MqttConfig
from edgeasr.config_file import load_config, mqtt_password, parse_config
from edgeasr.errors import ConfigError

EXAMPLE = Path(__file__).parents[1] / "deploy" / "edgeasr.toml"


def test_nothing_configured_is_the_defaults():
    assert parse_config("") == Config()


def test_values_and_words_are_taken():
    config = parse_config(
        '[site]\nname = "kitchen"\n[mqtt]\nhost = "broker"\nport = 8883\nretry_max_s = 5\n'
        '[wake.words.computer]\nthreshold = 0.7\ntargets = ["de"]\n[endpoint]\nvad_mode = 3\n'
    )
    assert config.site.name == "kitchen"
    assert (config.mqtt.port, config.mqtt.retry_max_s) == (8883, 5.0)
    assert config.wake.words["computer"].targets == ("de",)
    assert config.endpoint.vad_mode == 3


@pytest.mark.parametrize(
    ("text", "key", "value", "remedy"),
    [
        ('[mqtt]\nhots = "x"', "mqtt.hots", "", "did you mean host?"),
        ("[mqttt]\n", "mqttt", "", "did you mean mqtt?"),
        ("[mqtt]\nport = 70000", "mqtt.port", "70000", "give 0 to 65535"),
        ('[mqtt]\nport = "1883"', "mqtt.port", '"1883"', "a whole number"),
        ("[mqtt]\ntls = 1", "mqtt.tls", "1", "true or false"),
        ('[mqtt]\npassword = "hunter2"', "mqtt.password", "", "password_file"),
        ('[mqtt]\ncert_file = "c.pem"', "mqtt.cert_file", "c.pem", "set mqtt.key_file"),
        ('[mqtt]\nkey_file = "k.pem"', "mqtt.key_file", "k.pem", "set mqtt.cert_file"),
        ('[mqtt]\nprotocol = "4"', "mqtt.protocol", '"4"', "one of auto, 5, 3.1.1"),
        ('[mqtt]\nhost = "h"\nport = 0', "mqtt.port", "0", "the broker's port"),
        ('[mqtt]\nbase = "a/#"', "mqtt.base", "a/#", "without #"),
        ('[site]\nname = "my kitchen"', "site.name", "my kitchen", "letters, digits"),
        ('[audio]\nsource = "pipe"', "audio.source", "pipe", "microphone, stdin"),
        ("[audio]\nqueue_s = nan", "audio.queue_s", "nan", "give 1 to 120"),
        ("[audio]\nqueue_s = inf", "audio.queue_s", "inf", "give 1 to 120"),
        ("[wake.words.computer]\nthreshold = 2.0", "wake.words.computer.threshold", "2", "0 to 1"),
        ("[wake]\nwords = 3", "wake.words", "3", "[wake.words.NAME]"),
        ('[wake.words]\ncomputer = true', "wake.words.computer", "True", "a section"),
        ('[translator]\ntargets = "fr"', "translator.targets", '"fr"', "a list of texts"),
        ("[translator]\nbeam = true", "translator.beam", "True", "a whole number"),
        ("[endpoint]\nend_silence_ms = -5", "endpoint.end_silence_ms", "-5", "negative"),
        ("[endpoint]\nvad_mode = 9", "endpoint.vad_mode", "9", "0 to 3"),
        ("mqtt = 3", "mqtt", "3", "[mqtt]"),
        ("[mqtt\n", "TOML", "line 1", "brackets"),
    ],
)  # fmt: skip
def test_each_mistake_names_key_value_and_remedy(text, key, value, remedy):
    with pytest.raises(ConfigError) as raised:
        parse_config(text)
    message = str(raised.value)
    assert key in message
    assert value in message
    assert remedy in message
    assert "hunter2" not in message


def test_a_file_that_can_not_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"missing\.toml.*--config"):
        load_config(tmp_path / "missing.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'[site]\nname = "caf\xe9"')
    with pytest.raises(ConfigError, match=r"latin\.toml is not UTF-8"):
        load_config(latin)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[mqtt]\nport = -1")
    with pytest.raises(ConfigError, match=r"wrong\.toml: mqtt\.port = -1"):
        load_config(wrong)


@given(st.text(max_size=200))
def test_no_text_gets_past_as_anything_but_an_error_or_a_configuration(text):
    with contextlib.suppress(ConfigError):
        assert isinstance(parse_config(text), Config)


def test_passwords_come_from_the_credential_then_the_file(tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.write_text("from the file\n")
    own.chmod(0o600)
    config = MqttConfig(username="edge", password_file=str(own))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert mqtt_password(MqttConfig()) is None
    assert mqtt_password(config) == "from the file"
    (tmp_path / "mqtt-password").write_text("from systemd")
    (tmp_path / "mqtt-password").chmod(0o600)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert mqtt_password(config) == "from systemd"


def test_a_password_that_everyone_can_read_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    own = tmp_path / "own"
    own.write_text("secret-word")
    own.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600") as raised:
        mqtt_password(MqttConfig(username="edge", password_file=str(own)))
    assert "secret-word" not in str(raised.value)


def test_the_example_shows_every_key_with_its_default_and_what_it_means():
    text = EXAMPLE.read_text(encoding="utf-8")
    # Optional tables are shown commented out; uncommenting all of it must still be accepted.
    active = tomllib.loads(text)
    assert parse_config(text) == Config()
    for section in fields(Config):
        assert section.name in active, f"[{section.name}] is missing"
        kind = section.default_factory
        for item in fields(kind):
            if is_dataclass(item.type) or item.name == "words":
                continue
            shown = re.search(rf"^#[^\n]+\n(?:#[^\n]*\n)*{item.name} = ", text, re.MULTILINE)
            assert shown, f"{section.name}.{item.name} is missing or has no comment"
            assert item.name in active[section.name], f"{section.name}.{item.name} is missing"
    tables = r"^# (\[wake\.words.*\]|threshold = .*|targets = .*|refractory_s = .*)$"
    commented = re.sub(tables, r"\1", text, flags=re.MULTILINE)
    word = parse_config(commented).wake.words["computer"]
    assert (word.threshold, word.refractory_s) == (0.6, 2.0)
