"""Files of phrases to expect."""

import pytest

from edgeasr.errors import ConfigError
from edgeasr.phrases import MAX_PHRASES, read_phrases


@pytest.fixture
def file(tmp_path):
    def write(text, name="hints.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_lines_are_phrases_and_a_hash_starts_a_comment(file):
    assert read_phrases(file("# rooms\nattic  # up\n\ncellar\nattic\n")) == ["attic", "cellar"]


def test_lists_are_phrases_and_fill_templates(file):
    path = file(
        'orders = ["play {song} in the {room}"]\nsong = ["Help!", "Yesterday"]\nroom = ["attic"]\n',
        "hints.toml",
    )
    assert read_phrases(path) == [
        "play Help! in the attic", "play Yesterday in the attic", "Help!", "Yesterday", "attic",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (b"\xff\xfe", "hints.txt", "give UTF-8 text"),
        ("x" * 1_000_001, "hints.txt", "shorten it"),
        ("\n".join(map(str, range(MAX_PHRASES + 1))), "hints.txt", "more than 10000"),
        ("song = ", "hints.toml", "no TOML"),
        ('song = "Help!"', "hints.toml", "song: give a list of texts"),
        ('orders = ["play {song}"]', "hints.toml", "{song} is no list of plain texts; there are: "),
        ('a = ["{b}"]\nb = ["{a}"]', "hints.toml", "{b} is no list of plain texts"),
        (
            'n = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"]\no = ["{n}{n}{n}{n}{n}{n}"]',
            "hints.toml", "more than 10000",
        ),
    ],
)  # fmt: skip
def test_what_is_no_list_of_phrases_is_named_with_the_remedy(file, text, name, said):
    with pytest.raises(ConfigError) as caught:
        read_phrases(file(text, name))
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_phrases(tmp_path / "none.txt")
