import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mqtt_help import Mosquitto

from edgeasr.bundle import MODELS_FOLDER
from edgeasr.cli import main
from edgeasr.recordings import bundled_recordings

RECORDING = Path(__file__).parent / "audio" / "computer-forecast.flac"


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def bad_files(tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("this is no audio " * 100)
    whole = RECORDING.read_bytes()
    (tmp_path / "cut.flac").write_bytes(whole[: len(whole) // 2])
    return [tmp_path / name for name in ("missing.wav", "empty.wav", "text.wav", "cut.flac")]


def test_replay_prints_every_step_as_json(capsys):
    status, out, err = run(capsys, "replay", "--json", RECORDING)
    events = rows(out)
    assert status == 0, err
    assert [e["event"] for e in events if e["event"] != "partial"] == [
        "wake", "transcript", "translation"]  # fmt: skip
    assert {e["file"] for e in events} == {str(RECORDING)}
    assert all({"session", "at_s"} <= e.keys() for e in events)


def test_replay_twice_is_the_same(capsys):
    assert run(capsys, "replay", "--json", RECORDING) == run(capsys, "replay", "--json", RECORDING)


@pytest.mark.parametrize("command", ["replay", "wake", "transcribe"])
def test_bad_files_are_named_and_the_rest_is_served(capsys, bad_files, command):
    status, out, err = run(capsys, command, "--json", *bad_files, RECORDING)
    assert status == 1
    lines = err.strip().splitlines()
    assert len(lines) == len(bad_files)
    for line, path in zip(lines, bad_files, strict=True):
        assert str(path) in line
    assert str(RECORDING) in {row["file"] for row in rows(out)}


def test_wake_prints_detections_and_scores(capsys):
    status, out, _ = run(capsys, "wake", "--json", "--scores", "--word", "computer", RECORDING)
    detection, scores = rows(out)
    assert status == 0
    assert detection["word"] == "computer"
    assert 1.5 < detection["at_s"] < 3.5
    assert scores["max_score"] >= detection["score"] > 0
    assert "at_s" not in scores


def test_wake_resets_between_files(capsys):
    _, once, _ = run(capsys, "wake", "--json", RECORDING)
    _, twice, _ = run(capsys, "wake", "--json", RECORDING, RECORDING)
    assert twice == once * 2


def test_wake_takes_a_folder_for_its_model(capsys, tmp_path):
    copy = tmp_path / "mine"
    shutil.copytree(MODELS_FOLDER / "wake", copy)
    manifest = copy / "bundle.json"
    manifest.write_text(manifest.read_text().replace('"name": "wake"', '"name": "mine"'))
    _, shipped, _ = run(capsys, "wake", RECORDING)
    assert run(capsys, "wake", RECORDING, "--model", copy)[:2] == (0, shipped)
    status, _, errors = run(capsys, "wake", RECORDING, "--model", tmp_path / "none")
    assert status != 0
    assert "'none'; there are: mine" in errors


def test_wake_refuses_an_unknown_word(capsys):
    status, _, err = run(capsys, "wake", "--word", "hal", RECORDING)
    assert status == 1
    assert "computer" in err


def test_transcribe_gives_words_times_and_cost(capsys):
    status, out, _ = run(capsys, "transcribe", "--json", RECORDING)
    (row,) = rows(out)
    assert status == 0
    assert "forecast in kentucky" in row["text"]
    assert [word["word"] for word in row["words"]] == row["text"].split()
    assert row["audio_s"] == pytest.approx(7.0, abs=1.5)
    assert row["cpu_s"] > 0


def test_transcribe_of_silence_is_empty(capsys, wav):
    status, out, _ = run(capsys, "transcribe", "--json", wav(np.zeros(32_000, np.int16)))
    assert (status, rows(out)[0]["text"]) == (0, "")


def test_transcribe_takes_hints(capsys, tmp_path):
    hints = tmp_path / "hints.txt"
    hints.write_text("living room # a place\n\nKentucky\n")
    status, out, _ = run(capsys, "transcribe", "--json", "--hints", hints, RECORDING)
    assert (status, "kentucky" in rows(out)[0]["text"]) == (0, True)
    status, _, err = run(capsys, "transcribe", "--hints", tmp_path / "none", RECORDING)
    assert (status, "none" in err) == (1, True)


@pytest.mark.parametrize("minutes", ["0", "nan", "1e9"])
def test_bench_wants_a_length_it_can_measure(capsys, minutes):
    status, _, err = run(capsys, "bench", "--minutes", minutes)
    assert (status, "give 0.1 to 60" in err) == (1, True)


def test_an_unknown_command_is_told_those_there_are(capsys):
    with pytest.raises(SystemExit) as ended:
        run(capsys, "transcrib", "run")
    assert ended.value.code == 2
    assert "transcribe" in capsys.readouterr().err


def test_watch_tells_that_the_broker_refuses(capsys, tmp_path):
    broker = Mosquitto(tmp_path, "allow_anonymous false")
    try:
        status, _, err = run(capsys, "watch", "--host", "127.0.0.1", "--port", broker.port)
    finally:
        broker.kill()
    assert (status, "mqtt.password_file" in err) == (1, True)


def test_translate_prints_a_line_a_text(capsys):
    status, out, _ = run(capsys, "translate", "--to", "fr", "thank you", "good morning")
    assert (status, len(out.splitlines())) == (0, 2)


def test_a_doubtful_translation_is_named_beside_the_output(capsys):
    status, out, err = run(capsys, "translate", "the zorgle quux is frobbed 14:35 unto 23 plinths")
    assert status == 0
    assert err == f"edgeasr: doubtful: {out}"


def test_translate_reads_lines_from_stdin():
    done = subprocess.run(
        [sys.executable, "-m", "edgeasr", "translate", "--json"], input="thank you\n\nhello\n",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [row["source"] for row in rows(done.stdout)] == ["thank you", "hello"]
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["translate", "--to", "xx", "hello"], "translator-en-xx"),
        (["translate", "--beam", "0", "hello"], "--beam 0"),
        (["wake", "--threshold", "2", str(RECORDING)], "--threshold 2"),
        (["replay", "--to", "fr,xx", str(RECORDING)], "translator-en-xx"),
        (["run", "--config", "/nowhere/x.toml"], "/nowhere/x.toml"),
    ],
)
def test_wrong_arguments_are_one_clear_line(capsys, arguments, message):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (1, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_usage_errors_exit_with_two(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["replay"])
    assert caught.value.code == 2
    assert "AUDIO" in capsys.readouterr().err


def test_a_reader_that_leaves_is_no_error():
    code = f"{sys.executable} -m edgeasr translate hello hello hello | head -n 1"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr


def test_the_demo_shows_every_step_on_the_screen_and_on_mqtt(tmp_path):
    pytest.importorskip("amqtt")
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "edgeasr", "demo", "--fast"], capture_output=True, text=True,
        check=False, env=environment, cwd=Path(__file__).parent, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    count = len(bundled_recordings())
    assert f"{count} of {count} recordings" in done.stdout
    assert "edgeasr/demo/translation/fr" in done.stdout
