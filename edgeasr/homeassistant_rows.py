"""What a row of Home Assistant's table is: key, platform, name and the options of its MQTT part."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from edgeasr.mqtt_topics import Topics

__all__ = ["CONFIG", "DIAGNOSTIC", "QUIET", "Entity", "Slots", "slug"]

Needs = Literal["daemon", "microphone"]

CONFIG = {"entity_category": "config"}
DIAGNOSTIC = {"entity_category": "diagnostic"}
QUIET = {**DIAGNOSTIC, "enabled_by_default": False}


@dataclass(frozen=True, kw_only=True)
class Entity:
    """A row of the table."""

    key: str
    """Unique within the site; never changes once released, or users lose their history"""
    platform: str
    name: str
    needs: Needs = "daemon"
    """What must be there for the entity to be available"""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Slots:
    """What the rows depend on."""

    topics: Topics
    words: Mapping[str, float]
    """The wake words and the thresholds of the model"""
    languages: Sequence[str]
    """The translators that are loaded"""

    def own(self, name: str) -> str:
        """Return the topic of what only Home Assistant reads."""
        return f"{self.topics.root}/homeassistant/{name}"

    def command(self, name: str) -> str:
        """Return a command's topic."""
        return f"{self.topics.root}/command/{name}"


def slug(text: str) -> str:
    """Return the text as an id may be written: small letters, digits and _."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
