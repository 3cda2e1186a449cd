"""Home Assistant finds the site by itself: MQTT discovery, one message for the whole device.

Controls send the daemon's commands; what they show is what the daemon publishes (never the wish).
Events go out without retain, as Home Assistant ignores retained ones. Last results are retained,
cut to the 255 characters that a state may have, with the full text as an attribute.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edgeasr import __version__
from edgeasr.bridge import NOTHING, Bridge, Reaction
from edgeasr.events import (
    Error,
    Event,
    Intent,
    IntentNotRecognised,
    NoSpeech,
    Transcript,
    Translation,
    Wake,
)
from edgeasr.homeassistant_entities import entities
from edgeasr.homeassistant_rows import Entity, Slots
from edgeasr.mqtt_topics import Message, encode

__all__ = ["HomeAssistantBridge", "HomeAssistantRemoval", "config_topic"]

MAX_STATE_CHARS = 255
MAX_CONFIG_BYTES = 500_000
_BIRTH = "homeassistant/status"
_JITTER_S = 5.0  # so that a house full of sites does not answer as one
_MICROPHONE = (
    "{{ 'online' if value_json.microphone in ('ok', 'silent', 'stopped') else 'offline' }}"
)


def config_topic(prefix: str, site: str) -> str:
    """Return the topic of the discovery message."""
    return f"{prefix}/device/edgeasr_{site}/config"


class HomeAssistantBridge(Bridge):
    """Announces one site and tells its results."""

    name = "homeassistant"

    def __init__(
        self, slots: Slots, *, prefix: str, page: str = "", rng: random.Random | None = None
    ) -> None:
        """Announce under `prefix`; `page` is the address of the status page, when there is one."""
        self._slots = slots
        self._page = page
        self._rng = rng or random.Random()  # noqa: S311 - no secret
        # The default stays with another prefix, unless that is configured there as well.
        self._births = tuple(dict.fromkeys((f"{prefix}/status", _BIRTH)))
        self._config = config_topic(prefix, slots.topics.site)
        self._last: dict[str, Message] = {}
        self.subscriptions = (*self._births, self._config)

    def announce(self) -> tuple[Message, ...]:
        """Return the discovery message and the last results."""
        discovery = Message(topic=self._config, body=encode(self.discovery()), retain=True)
        return (discovery, *self._last.values())

    def discovery(self) -> dict[str, Any]:
        """Return the device-based discovery payload."""
        site = self._slots.topics.site
        return {
            "device": {
                "identifiers": [f"edgeasr_{site}"],
                "name": f"Voice {site}",
                "manufacturer": "edgeasr",
                "model": "Offline voice assistant",
                "sw_version": __version__,
                **({"configuration_url": self._page} if self._page else {}),
            },
            "origin": {"name": "edgeasr", "sw_version": __version__},
            "components": {entity.key: self._component(entity) for entity in entities(self._slots)},
        }

    def on_event(  # noqa: PLR0911 - a case each
        self, event: Event, *, request: str | None  # noqa: ARG002
    ) -> Reaction:
        """Return the event entity's message and the retained last result."""
        match event:
            case Wake():
                kind = event.word or "listen"
                return _say(self._tell("wake", kind, event))
            case Transcript():
                return _say(
                    self._tell("command", "transcript", event),
                    self._keep(
                        "transcript", event.display or event.text, event,
                        latency_s=round(event.at_s - event.end_s, 3),
                    ),
                )  # fmt: skip
            case Translation():
                return self._translated(event)
            case NoSpeech():
                return _say(self._tell("command", "no_speech", event))
            case Error():
                return _say(self._tell("error", "error", event))
            case Intent():
                told = self._tell("command", "intent", event)
                return _say(told, self._keep("intent", event.intent, event))
            case IntentNotRecognised():
                told = self._tell("command", "no_match", event)
                return _say(told, self._keep("intent", "None", event))  # shown as unknown
        return NOTHING

    def on_message(self, topic: str, body: bytes, *, retained: bool) -> Reaction:
        """Announce again when Home Assistant starts; remove what an older version announced."""
        if topic in self._births and body == b"online":
            return Reaction(announce_in_s=self._rng.uniform(0.0, _JITTER_S))
        if topic == self._config and retained and body:
            return self._outdated(body)
        return NOTHING

    def on_words(self, words: Mapping[str, float]) -> Reaction:
        """Announce the controls of another trigger's words and take back the others."""
        before = self.discovery()["components"]
        self._slots = replace(self._slots, words=words)
        return self._announced_without(self._gone(before))

    def _component(self, entity: Entity) -> dict[str, Any]:
        topics = self._slots.topics
        availability = [{"topic": topics.status}]
        if entity.needs == "microphone":
            availability.append({"topic": topics.state, "value_template": _MICROPHONE})
        return {
            "platform": entity.platform,
            "unique_id": f"edgeasr_{topics.site}_{entity.key}",
            "name": entity.name,
            "availability": availability,
            "availability_mode": "all",
            "qos": 1,
            **entity.options,
        }

    def _translated(self, event: Translation) -> Reaction:
        messages = [self._keep(f"translation_{event.language}", event.text, event)]
        if event.session is None:  # asked for by command: the text field shows what was done
            messages.append(self._keep("asked", event.source, event))
        return _say(*messages)

    def _tell(self, name: str, kind: str, event: Event) -> Message:
        fields = {key: value for key, value in event.to_fields().items() if key != "event"}
        body = encode({"event_type": kind, **fields})
        return Message(topic=self._slots.own(name), body=body)

    def _keep(self, name: str, state: str, event: Event, **more: object) -> Message:
        fields = {key: value for key, value in event.to_fields().items() if key != "event"}
        body = encode({"state": _cut(state), **fields, **more})
        message = Message(topic=self._slots.own(f"last/{name}"), body=body, retain=True)
        self._last[name] = message
        return message

    def _outdated(self, body: bytes) -> Reaction:
        """Remove entities that this version no longer has: entries with nothing but a platform."""
        gone = self._gone(_components(body))
        return self._announced_without(gone) if gone else NOTHING

    def _gone(self, before: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """Return what takes back the entries of `before` that are announced no longer."""
        kept = self.discovery()["components"].keys()
        return {
            key: {"platform": entry["platform"]}
            for key, entry in before.items()
            if key not in kept and len(entry) > 1 and "platform" in entry
        }

    def _announced_without(self, gone: Mapping[str, Mapping[str, Any]]) -> Reaction:
        now = self.discovery()
        now["components"].update(gone)
        return _say(Message(topic=self._config, body=encode(now), retain=True))


class HomeAssistantRemoval(Bridge):
    """Stands in when Home Assistant is switched off: takes back what was once announced."""

    name = "homeassistant removal"

    def __init__(self, slots: Slots, *, prefix: str) -> None:
        self._config = config_topic(prefix, slots.topics.site)
        self._results = slots.own("last/")
        self.subscriptions = (self._config, slots.own("last/+"))

    def on_message(self, topic: str, body: bytes, *, retained: bool) -> Reaction:
        """Empty our own retained topics."""
        ours = topic == self._config or topic.startswith(self._results)
        if ours and retained and body:
            return _say(Message(topic=topic, body=b"", retain=True))
        return NOTHING


def _say(*messages: Message) -> Reaction:
    return Reaction(messages=messages)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_STATE_CHARS else text[: MAX_STATE_CHARS - 1] + "…"


def _components(body: bytes) -> dict[str, dict[str, Any]]:
    """Return the entries of an earlier discovery message; anything else has none."""
    try:
        if len(body) > MAX_CONFIG_BYTES:
            return {}
        found = json.loads(body)["components"]
        return {key: entry for key, entry in found.items() if isinstance(entry, dict)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
