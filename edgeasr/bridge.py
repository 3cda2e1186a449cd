"""The seam to other conventions on the same broker: pure translators of events and messages.

A bridge knows topics and payloads. It has no thread, socket or clock: `edgeasr.switchboard` calls
it, publishes what it says and carries out what it asks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from edgeasr.audio import Pcm
from edgeasr.commands import Command
from edgeasr.events import Event
from edgeasr.mqtt_topics import Message

__all__ = ["NOTHING", "Bridge", "Reaction"]


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """What a bridge wants done."""

    messages: tuple[Message, ...] = ()
    """To publish, in order; lost when the broker is away"""
    commands: tuple[Command, ...] = ()
    """To carry out; the `id` of a command comes back with its events or its refusal"""
    announce_in_s: float | None = None
    """Publish everything retained again after so many seconds"""

    def __add__(self, other: "Reaction") -> "Reaction":
        """Return both, one after the other."""
        delays_s = [
            delay_s for delay_s in (self.announce_in_s, other.announce_in_s) if delay_s is not None
        ]
        return Reaction(
            messages=self.messages + other.messages,
            commands=self.commands + other.commands,
            announce_in_s=min(delays_s, default=None),
        )


NOTHING = Reaction()


class Bridge(Protocol):
    """One convention. Calls never overlap; none of them may raise.

    To be derived from: what a bridge does not care for, it leaves out.
    """

    name: ClassVar[str]
    """What the log calls it"""

    subscriptions: tuple[str, ...]
    """Topic filters of the messages it wants"""

    def announce(self) -> tuple[Message, ...]:
        """Return what to publish at each connect."""
        return ()

    def on_event(self, event: Event, *, request: str | None) -> Reaction:  # noqa: ARG002
        """Take an event; `request` is the id of the command that caused it."""
        return NOTHING

    def on_message(self, topic: str, body: bytes, *, retained: bool) -> Reaction:  # noqa: ARG002
        """Take a message on a subscribed topic, whatever it holds."""
        return NOTHING

    def on_refused(self, request: str, message: str) -> Reaction:  # noqa: ARG002
        """Learn that a command with an id was not carried out."""
        return NOTHING

    def on_words(self, words: Mapping[str, float]) -> Reaction:  # noqa: ARG002
        """Learn the wake words and thresholds of another trigger, taken while running."""
        return NOTHING

    def on_sound(self, pcm: Pcm) -> Reaction:  # noqa: ARG002
        """Take the microphone's sound, int16 [n] at 16 kHz."""
        return NOTHING
