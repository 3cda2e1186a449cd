"""Topics and payloads of the MQTT interface; docs/MQTT.md describes them for users."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from edgeasr.events import Event

__all__ = ["OUTBOXED", "Message", "Topics", "WorkerTopics", "encode", "is_topic", "iso_time"]

OUTBOXED = frozenset({"wake", "transcript", "translation", "intent"})
"""Names of the events that wait on disk until the broker has them"""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What goes to the broker."""

    topic: str
    body: bytes
    qos: int = 1
    retain: bool = False
    correlation: bytes | None = None
    """MQTT 5 correlation data of a reply"""


@dataclass(frozen=True)
class Topics:
    """The topics of one site."""

    base: str
    site: str

    @property
    def root(self) -> str:
        """What all topics of the site begin with."""
        return f"{self.base}/{self.site}"

    @property
    def status(self) -> str:
        """`online` or `offline`, retained; the last will."""
        return f"{self.root}/status"

    @property
    def state(self) -> str:
        """What the daemon is doing, retained."""
        return f"{self.root}/state"

    @property
    def settings(self) -> str:
        """The live settings in force, retained."""
        return f"{self.root}/settings"

    @property
    def result(self) -> str:
        """The answer to a command."""
        return f"{self.root}/result"

    @property
    def bid(self) -> str:
        """How well a wake word was heard, for the other sites."""
        return f"{self.root}/bid"

    @property
    def audio(self) -> str:
        """Sound for this site, when its source is mqtt."""
        return f"{self.root}/audio"

    @property
    def metrics(self) -> str:
        """Figures about the daemon."""
        return f"{self.root}/metrics"

    @property
    def commands(self) -> str:
        """The filter of all commands."""
        return f"{self.root}/command/+"

    def event(self, event: Event) -> str:
        """Return an event's topic."""
        language = getattr(event, "language", None)
        if event.NAME == "translation" and isinstance(language, str):
            return f"{self.root}/{event.NAME}/{language}"
        return f"{self.root}/{event.NAME}"

    def command_name(self, topic: str) -> str | None:
        """Return the command of a topic, None when it is not one of this site."""
        head, _, name = topic.rpartition("/")
        return name if head == f"{self.root}/command" else None


@dataclass(frozen=True, kw_only=True)
class WorkerTopics:
    """The topics of a group of workers."""

    base: str
    group: str

    @property
    def requests(self) -> str:
        """The shared subscription."""
        return f"$share/{self.group}/{self.base}/+/utterance"

    @property
    def peers(self) -> str:
        """Where the workers tell each other how they are."""
        return f"{self.base}/worker/+"

    def status(self, name: str) -> str:
        """`online`, or `offline` (its last will), or `adopted`; retained."""
        return f"{self.base}/worker/{name}"


def encode(fields: Mapping[str, Any]) -> bytes:
    """Return JSON in UTF-8; lone surrogates, which UTF-8 has not, are escaped."""
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode("ascii")


def iso_time(epoch_s: float) -> str:
    """Return ISO 8601 in UTC with milliseconds: `2026-01-31T12:00:00.123Z`."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def is_topic(text: str) -> bool:
    """Whether a message may be published there; $-topics belong to the broker."""
    return 0 < len(text) <= 256 and not set("#+\0") & set(text) and not text.startswith("$")
