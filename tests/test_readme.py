"""What the README tells a newcomer works as it stands there."""

import re
import shutil
from pathlib import Path

from edgeasr.bundle import MODELS_FOLDER
from edgeasr.cli import _COMMANDS
from edgeasr.recordings import bundled_recordings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_library_example_runs(tmp_path, monkeypatch, capsys):
    (example,) = blocks("python")
    # The content of a file decides what it is, not its name.
    shutil.copy(bundled_recordings()[0], tmp_path / "recording.wav")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    shown = capsys.readouterr().out
    for step in ("wake", "partial", "transcript", "translation"):
        assert f"'event': '{step}'" in shown


def test_every_command_it_names_exists():
    named = set(re.findall(r"^edgeasr (\w+)", "\n".join(blocks("sh")), re.MULTILINE))
    assert named
    assert named <= set(_COMMANDS)


def test_every_make_target_it_names_exists():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make (\w+)", README)) <= targets


def test_every_file_it_links_exists():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_its_table_of_models_is_that_of_the_package():
    for folder in MODELS_FOLDER.glob("*/bundle.json"):
        assert f"`{folder.parent.name}`" in README, f"the README lacks {folder.parent.name}"
