"""Where commands arrive: refused or queued in the network thread, carried out in the worker."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from edgeasr.commands import (
    Attend,
    Cancel,
    Command,
    Feedback,
    Listen,
    Mute,
    SetCommand,
    Stop,
    Transcribe,
    Translate,
    Understand,
    parse_command,
)
from edgeasr.errors import CommandError, EdgeasrError
from edgeasr.events import Event
from edgeasr.mqtt_connection import Incoming
from edgeasr.mqtt_topics import Topics
from edgeasr.publisher import Origin, Publisher

__all__ = ["CommandDesk", "Station"]

_LOG = logging.getLogger(__name__)
_MOST = 256  # commands that may wait
_MOST_RECORDINGS = 4


class Station(Protocol):
    """What carries commands out; `edgeasr.daemon.Daemon` does."""

    @property
    def now_s(self) -> float:
        """Stream time."""
        ...

    def listen(self) -> list[Event]:
        """Start listening. Raises CommandError when muted."""
        ...

    def stop(self) -> list[Event]:
        """End the utterance and recognise it."""
        ...

    def cancel(self) -> list[Event]:
        """End the utterance and drop it."""
        ...

    def mute(self, *, on: bool) -> None:
        """Close or open the microphone."""
        ...

    def attend(self, *, on: bool) -> None:
        """Take notice of wake words, or not."""
        ...

    def change(self, command: SetCommand) -> dict[str, Any]:
        """Change live settings; return those in force. Raises CommandError."""
        ...

    def translate(self, text: str, targets: tuple[str, ...]) -> list[Event]:
        """Translate a text. Raises TextError or ConfigError."""
        ...

    def understand(self, text: str) -> list[Event]:
        """Find the intent of a text. Raises CommandError when nothing is loaded for it."""
        ...

    def transcribe(self, audio: bytes) -> Iterator[Iterable[Event]]:
        """Recognise a recording in steps. Raises AudioError."""
        ...

    def label(self, kind: str, text: str | None) -> str:
        """Label the last recording; return its name. Raises CommandError."""
        ...

    def emit(self, events: Iterable[Event], *, request: str | None = None) -> None:
        """Publish events."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Ticket:
    command: Command
    origin: Origin


class CommandDesk:
    """A bounded queue of checked commands, and the one recording being recognised."""

    def __init__(
        self, topics: Topics, *, max_audio_bytes: int, now_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._topics = topics
        self._max_audio_bytes = max_audio_bytes
        self._now_s = now_s
        self._tickets: deque[_Ticket] = deque()
        self._recordings: deque[_Ticket] = deque()
        self._job: tuple[Origin, Iterator[Iterable[Event]]] | None = None
        self.refused = 0
        """Commands that were not carried out"""

    @property
    def busy(self) -> bool:
        """Whether there is something to do."""
        return bool(self._tickets or self._recordings or self._job)

    def offer(self, message: Incoming, publisher: Publisher) -> None:
        """Queue a command, or tell its sender why not. Called by the network thread."""
        name = self._topics.command_name(message.topic)
        if name is None:
            return
        origin = Origin(
            topic=message.topic,
            command=name,
            reply_to=message.reply_to,
            correlation=message.correlation,
        )
        try:
            self._queue(message, origin)
        except CommandError as error:
            self._refuse(publisher, origin, error)

    def submit(self, command: Command, source: str, publisher: Publisher) -> None:
        """Queue a command that came by another way, which `source` names. Any thread may call."""
        name = type(command).__name__.lower().removesuffix("command")
        origin = Origin(topic=source, command=name, id=command.id)
        try:
            self._queue_up(command, origin)
        except CommandError as error:
            self._refuse(publisher, origin, error)

    def serve(self, station: Station, publisher: Publisher) -> None:
        """Carry out one command and one step of a recording."""
        if self._tickets:
            ticket = self._tickets.popleft()
            try:
                answer = _carry_out(ticket, station)
            except EdgeasrError as error:
                self._refuse(publisher, ticket.origin, error)
            except Exception as error:
                _LOG.exception("the command %s failed", ticket.origin.command)
                self._refuse(publisher, ticket.origin, error)
            else:
                publisher.result(ticket.origin, ok=True, **answer)
        self._step(station, publisher)

    def _queue(self, message: Incoming, origin: Origin) -> None:
        if message.retained:
            raise CommandError(
                "a retained command would be repeated at every connect; send it without retain, "
                "and clear the topic"
            )
        command = parse_command(
            origin.command, message.payload, max_audio_bytes=self._max_audio_bytes
        )
        self._queue_up(command, replace(origin, id=command.id))

    def _queue_up(self, command: Command, origin: Origin) -> None:
        recorded = isinstance(command, Transcribe)
        queue, most = (self._recordings, _MOST_RECORDINGS) if recorded else (self._tickets, _MOST)
        if len(queue) >= most:
            raise CommandError(f"busy: {len(queue)} commands wait already; try again later")
        queue.append(_Ticket(command=command, origin=origin))

    def _step(self, station: Station, publisher: Publisher) -> None:
        if self._job is None:
            if not self._recordings:
                return
            ticket = self._recordings.popleft()
            assert isinstance(ticket.command, Transcribe)
            self._job = (ticket.origin, station.transcribe(ticket.command.audio))
        origin, steps = self._job
        try:
            events = next(steps, None)
        except EdgeasrError as error:
            self._job = None
            self._refuse(publisher, origin, error)
            return
        except Exception as error:
            _LOG.exception("a recording could not be recognised")
            self._job = None
            self._refuse(publisher, origin, error)
            return
        if events is None:
            self._job = None
            publisher.result(origin, ok=True)
            return
        station.emit(events, request=origin.id)

    def _refuse(self, publisher: Publisher, origin: Origin, error: Exception) -> None:
        self.refused += 1
        message = str(error) or type(error).__name__
        _LOG.warning("%s: %s", origin.topic, message)
        publisher.error(origin.topic, message, at_s=self._now_s())
        publisher.result(origin, ok=False, message=message)


def _carry_out(ticket: _Ticket, station: Station) -> dict[str, Any]:
    """Return the fields of the answer. Raises EdgeasrError."""
    answer: dict[str, Any] = {}
    match ticket.command:
        case Listen():
            station.emit(station.listen(), request=ticket.origin.id)
        case Stop():
            station.emit(station.stop(), request=ticket.origin.id)
        case Cancel():
            station.emit(station.cancel(), request=ticket.origin.id)
        case Mute(on=on):
            station.mute(on=on)
        case Attend(on=on):
            station.attend(on=on)
        case Understand(text=text):
            station.emit(station.understand(text), request=ticket.origin.id)
        case SetCommand() as command:
            answer = {"settings": station.change(command)}
        case Translate(text=text, targets=targets):
            events = station.translate(text, targets)
            station.emit(events, request=ticket.origin.id)
            answer = {"translations": [event.to_fields() for event in events]}
        case Feedback(kind=kind, text=text):
            answer = {"recording": station.label(kind, text)}
    return answer
