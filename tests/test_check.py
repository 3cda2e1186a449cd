"""`check` names what is wrong and the remedy, one line for each thing."""

import pytest
from mqtt_help import Mosquitto, free_port, scripted_models

from edgeasr.check import check
from edgeasr.config_file import parse_config
from edgeasr.errors import BundleError


@pytest.fixture(autouse=True)
def models(monkeypatch):
    monkeypatch.setattr("edgeasr.check.models_of", lambda _config: scripted_models())


def lines(tmp_path, text="", **sections):
    folder = f'[state]\nfolder = "{tmp_path}/state"\n'
    return {line.name: line for line in check(parse_config(folder + text))}


def test_a_sound_set_up_has_four_good_lines(tmp_path, wav, noise, broker):
    found = lines(
        tmp_path,
        f'[audio]\nsource = "file:{wav(noise(1.0))}"\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n',
    )
    assert list(found) == ["configuration", "models", "microphone", "broker"]
    assert all(line.ok for line in found.values()), found
    assert "computer, jarvis" in found["models"].message
    assert "1.0 s" in found["microphone"].message
    assert "MQTT 5" in found["broker"].message


def test_a_broker_that_is_not_there(tmp_path):
    found = lines(tmp_path, f'[mqtt]\nhost = "127.0.0.1"\nport = {free_port()}\n')
    assert not found["broker"].ok
    assert "is the broker running" in found["broker"].message


def test_a_broker_that_refuses(tmp_path):
    broker = Mosquitto(tmp_path, "allow_anonymous false")
    found = lines(tmp_path, f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n')
    broker.kill()
    assert not found["broker"].ok
    assert "mqtt.username" in found["broker"].message


def test_a_fifo_and_a_file_in_its_place(tmp_path):
    assert lines(tmp_path, f'[audio]\nsource = "fifo:{tmp_path}/sound"\n')["microphone"].ok
    assert not (tmp_path / "sound").exists()  # it would belong to root, not to the service
    (tmp_path / "plain").write_text("")
    found = lines(tmp_path, f'[audio]\nsource = "fifo:{tmp_path}/plain"\n')["microphone"]
    assert (found.ok, "is not a FIFO" in found.message) == (False, True)


def test_missing_models_are_told(tmp_path, monkeypatch):
    def missing(_config):
        raise BundleError("no model called 'wake'")

    monkeypatch.setattr("edgeasr.check.models_of", missing)
    line = lines(tmp_path)["models"]
    assert (line.ok, line.message) == (False, "no model called 'wake'")


def test_a_state_folder_that_can_not_be_written(tmp_path):
    (tmp_path / "state").write_text("a file")
    line = lines(tmp_path)["configuration"]
    assert (line.ok, "set state.folder" in line.message) == (False, True)
