"""docs/COMMANDS.md says what the commands do."""

import json
import re
from pathlib import Path

import pytest

from edgeasr.cli import _COMMANDS, main
from edgeasr.config_file import parse_config
from edgeasr.live import live_settings
from edgeasr.phrases import read_phrases
from edgeasr.recordings import bundled_recordings
from edgeasr.site import read_site

PAGE = (Path(__file__).parents[1] / "docs" / "COMMANDS.md").read_text(encoding="utf-8")
RECORDING = str(bundled_recordings()[0])
COMMANDS, OUTPUT = PAGE.split("## Files")[0].split("## Output of `--json`")


def keys_of(command):
    (row,) = re.findall(rf"^\| `{command}` \| (.*) \|$", OUTPUT, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", row))


def printed(capsys, *arguments):
    assert main([*arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def all_keys(value):
    if isinstance(value, list):
        return set().union(*map(all_keys, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*map(all_keys, value.values()))


def test_every_command_is_there():
    rows = re.findall(r"^\| (`.*?`) \|", COMMANDS, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(_COMMANDS)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("wake", [RECORDING, "--scores"]),
        ("transcribe", [RECORDING]),
        ("translate", ["good morning"]),
        ("understand", ["set a timer for ten minutes"]),
    ],
)
def test_every_key_is_described_and_no_other(capsys, command, arguments):
    assert all_keys(printed(capsys, command, "--json", *arguments)) == keys_of(command)


def test_a_command_that_was_not_understood_has_no_intent(capsys):
    (row,) = printed(capsys, "understand", "--json", "colourless green ideas sleep")
    assert (row["intent"], row["slots"]) == (None, [])


def test_the_files_on_the_page_can_be_read(tmp_path):
    hints, home = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "hints.toml").write_text(hints)
    assert "play Yesterday in the attic" in read_phrases(tmp_path / "hints.toml")
    (tmp_path / "home.toml").write_text(home)
    assert "floor lamp" in read_site(tmp_path / "home.toml").names()
    text = f'[understand]\nsite_file = "{tmp_path}/home.toml"\n'
    text += f'[recogniser]\nhints_file = "{tmp_path}/hints.toml"\n'
    live = live_settings(parse_config(text), ("computer",))
    assert {"Paranoid Android", "reading lamp"} <= set(live.hints)
