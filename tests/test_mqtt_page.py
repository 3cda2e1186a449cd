"""docs/MQTT.md says what the code does."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from edgeasr.commands import COMMANDS
from edgeasr.events import EVENT_TYPES, Slot, Word
from edgeasr.live import LIVE_KEYS
from edgeasr.mqtt_topics import OUTBOXED, Topics

PAGE = (Path(__file__).parents[1] / "docs" / "MQTT.md").read_text(encoding="utf-8")
COMMON = {"at_s", "session"}


def row(first: str) -> str:
    """The table row or list item that begins with a name in backticks."""
    found = re.search(rf"^(?:\| |- )`{re.escape(first)}`(.*(?:\n  .*)*)$", PAGE, re.MULTILINE)
    assert found, f"the page has no row for {first}"
    return found.group(1)


def all_rows(first: str) -> str:
    return " ".join(re.findall(rf"^(?:\| |- )`{re.escape(first)}`(.*)$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.NAME)
def test_every_event_and_field_is_described(kind):
    described = all_rows(kind.NAME)
    for item in fields(kind):
        if item.name not in COMMON:
            assert f"`{item.name}`" in described, f"{kind.NAME}.{item.name}"


def test_no_field_is_described_that_no_event_has():
    section = PAGE.split("### Fields of each")[1].split("###")[0]
    known = {item.name for kind in (*EVENT_TYPES, Slot, Word) for item in fields(kind)}
    names = {name for line in section.splitlines() for name in re.findall(r"`(\w+)`[ ,(]", line)}
    values = {"silence", "timeout", "stop", "end_of_stream", "rejected", "cancelled",
              "microphone", "assistant", "configuration", "translator", "P1D"}  # fmt: skip
    assert names - known - values - {kind.NAME for kind in EVENT_TYPES} == set()


def test_words_and_common_fields_are_described():
    for item in fields(Word):
        assert f"`{item.name}`" in all_rows("transcript")
    common = PAGE.split("### Fields of every event")[1].split("###")[0]
    for name in ("site", "time", "id", "session", "event", "at_s", "request"):
        assert f"`{name}`" in common


def test_every_topic_is_described():
    topics = Topics("edgeasr", "x")
    for topic in (topics.status, topics.state, topics.settings, topics.result, topics.metrics,
                  topics.bid, topics.audio):  # fmt: skip
        row(topic.removeprefix("edgeasr/x/"))
    for kind in EVENT_TYPES:
        name = kind.NAME
        row(f"{name}/<language>" if name == "translation" else name)


def test_every_command_and_setting_is_described():
    for command in COMMANDS:
        row(f"command/{command}")
    for key in LIVE_KEYS:
        row(key)
    named = set(re.findall(r"^\| `command/(\w+)`", PAGE, re.MULTILINE))
    assert named == set(COMMANDS)


def test_what_waits_on_disk_is_named():
    line = PAGE.split("wait in an outbox")[0].rsplit("\n\n", 1)[1]
    assert set(re.findall(r"`(\w+)`", line)) == OUTBOXED
