"""Puts events, states and answers into their messages: the envelope of the MQTT interface."""

import itertools
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from edgeasr.events import Error, Event
from edgeasr.mqtt_topics import OUTBOXED, Message, Topics, encode, is_topic, iso_time
from edgeasr.outbox import Outbox
from edgeasr.switchboard import Switchboard

__all__ = ["Link", "Origin", "Publisher"]


class Link(Protocol):
    """What carries messages; `edgeasr.mqtt.MqttLink` does."""

    @property
    def description(self) -> str:
        """The broker's state in words."""
        ...

    def publish(self, message: Message) -> None:
        """Send now or never."""
        ...

    def wake(self) -> None:
        """Look at the outbox."""
        ...


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a command came from, and where its answer is wanted."""

    topic: str
    command: str
    id: str | None = None
    reply_to: str | None = None
    correlation: bytes | None = None


class Publisher:
    """One site's voice on MQTT. Any thread may call."""

    def __init__(
        self, topics: Topics, *, outbox: Outbox, link: Link, bridges: Switchboard | None = None
    ) -> None:
        """Speak over `link`, and let `bridges` say the same in other conventions."""
        self._topics = topics
        self._outbox = outbox
        self._link = link
        self._bridges = bridges
        self._prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)  # two threads may ask at once: each gets its own
        self._retained: dict[str, Message] = {}

    @property
    def broker(self) -> str:
        """The broker's state in words."""
        return self._link.description

    def announcements(self) -> list[Message]:
        """Return the retained messages in force, for a new connection."""
        own = list(self._retained.copy().values())
        return own + (self._bridges.announcements() if self._bridges else [])

    def event(self, event: Event, *, request: str | None = None) -> None:
        """Send an event; one that must arrive goes through the outbox."""
        fields = {**self._envelope(event.session), **event.to_fields()}
        if request is not None:
            fields["request"] = request
        topic = self._topics.event(event)
        if event.NAME in OUTBOXED:
            self._outbox.add(topic, fields)
            self._link.wake()
        else:
            qos = 0 if event.NAME == "partial" else 1
            self._link.publish(Message(topic=topic, body=encode(fields), qos=qos))
        if self._bridges:
            self._bridges.event(event, request)

    def error(self, source: str, message: str, *, at_s: float) -> None:
        """Send an `error` event."""
        self.event(Error(at_s=at_s, source=source, message=message))

    def state(self, fields: Mapping[str, Any]) -> None:
        """Send what the daemon is doing, retained."""
        self._retain(self._topics.state, fields)

    def settings(self, fields: Mapping[str, Any]) -> None:
        """Send the settings in force, retained."""
        self._retain(self._topics.settings, fields)

    def metrics(self, fields: Mapping[str, Any]) -> None:
        """Send figures."""
        body = encode({**self._stamp(), **fields})
        self._link.publish(Message(topic=self._topics.metrics, body=body, qos=0))

    def result(self, origin: Origin, *, ok: bool, message: str = "", **fields: object) -> None:
        """Answer a command on `result`, and where its sender asked for with MQTT 5."""
        body = encode(
            {
                **self._stamp(),
                "command": origin.command,
                "id": origin.id,
                "ok": ok,
                "message": message,
                **fields,
            }
        )
        self._link.publish(Message(topic=self._topics.result, body=body))
        if origin.reply_to and is_topic(origin.reply_to):
            self._link.publish(
                Message(topic=origin.reply_to, body=body, correlation=origin.correlation)
            )

        if self._bridges and not ok and origin.id:
            self._bridges.refused(origin.id, message)

    def _retain(self, topic: str, fields: Mapping[str, Any]) -> None:
        message = Message(topic=topic, body=encode({**self._stamp(), **fields}), retain=True)
        self._retained[topic] = message
        self._link.publish(message)

    def _stamp(self) -> dict[str, Any]:
        return {"site": self._topics.site, "time": iso_time(time.time())}

    def _envelope(self, session: str | None) -> dict[str, Any]:
        number = next(self._numbers)
        return {**self._stamp(), "id": f"{self._prefix}-{number}", "session": session}
