"""Runs the bridges: gives them what happens, publishes what they say, submits what they ask for.

Events come from the worker, messages from the network thread; a lock keeps the calls apart.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgeasr.audio import Pcm
from edgeasr.bridge import Bridge, Reaction
from edgeasr.commands import Command
from edgeasr.events import Event
from edgeasr.mqtt_topics import Message

__all__ = ["Outlets", "Switchboard"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outlets:
    """Where reactions go."""

    publish: Callable[[Message], None]
    submit: Callable[[Command, str], None]
    """Queue a command of the bridge with that name"""
    announce: Callable[[], None]
    """Publish everything retained again"""


class Switchboard:
    """All bridges of one site."""

    def __init__(self, bridges: Sequence[Bridge], outlets: Outlets) -> None:
        self._bridges = tuple(bridges)
        self._outlets = outlets
        self._lock = threading.Lock()
        self._due_s: float | None = None

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Every topic filter that some bridge wants, once."""
        return tuple(dict.fromkeys(one for bridge in self._bridges for one in bridge.subscriptions))

    def announcements(self) -> list[Message]:
        """Return what the bridges publish at each connect."""
        with self._lock:
            return [message for bridge in self._bridges for message in bridge.announce()]

    def event(self, event: Event, request: str | None) -> None:
        """Tell an event."""
        self._each(lambda bridge: bridge.on_event(event, request=request))

    def message(self, topic: str, body: bytes, *, retained: bool) -> None:
        """Give a message that came in."""
        self._each(lambda bridge: bridge.on_message(topic, body, retained=retained))

    def refused(self, request: str, message: str) -> None:
        """Tell that a command was not carried out."""
        self._each(lambda bridge: bridge.on_refused(request, message))

    def words(self, words: Mapping[str, float]) -> None:
        """Tell the wake words and thresholds of another trigger."""
        self._each(lambda bridge: bridge.on_words(words))

    def sound(self, pcm: Pcm) -> None:
        """Give the microphone's sound, int16 [n]."""
        self._each(lambda bridge: bridge.on_sound(pcm))

    def tick(self) -> None:
        """Announce again when a bridge asked for it and the time has come."""
        if self._due_s is not None and time.monotonic() >= self._due_s:
            self._due_s = None
            self._outlets.announce()

    def _each(self, call: Callable[[Bridge], Reaction]) -> None:
        for bridge in self._bridges:
            try:
                with self._lock:
                    reaction = call(bridge)
            except Exception:
                # A bridge to somebody else's convention must not cost the daemon its life.
                _LOG.exception("the bridge %s failed", bridge.name)
                continue
            self._carry_out(reaction, bridge)

    def _carry_out(self, reaction: Reaction, bridge: Bridge) -> None:
        for message in reaction.messages:
            self._outlets.publish(message)
        for command in reaction.commands:
            self._outlets.submit(command, bridge.name)
        if reaction.announce_in_s is not None:
            due_s = time.monotonic() + reaction.announce_in_s
            self._due_s = due_s if self._due_s is None else min(due_s, self._due_s)
