"""Ties the status page to the daemon: the worker feeds it, its commands go to the desk."""

import time
from collections.abc import Mapping
from typing import Any

from edgeasr import __version__
from edgeasr.assistant import Assistant
from edgeasr.audio import Pcm
from edgeasr.commands import Command, SetCommand, parse_command
from edgeasr.daemon import Daemon
from edgeasr.errors import CommandError
from edgeasr.events import Event, Translation
from edgeasr.http_board import Board, attention_fields
from edgeasr.live import change
from edgeasr.loading import Models
from edgeasr.sensitivity import with_thresholds
from edgeasr.watch import Watch

__all__ = ["PageFeed"]

_STATUS_S = 1.0
_SHOWN_HINTS = 20
_COMMANDS = ("listen", "stop", "cancel", "mute", "set", "translate")


class PageFeed:
    """What the page gets and what it may ask for."""

    def __init__(
        self,
        board: Board,
        site: str,
        *,
        assistant: Assistant,
        models: Models,
        daemon: Daemon,
        watch: Watch,
    ) -> None:
        self._board = board
        self._site = site
        self._assistant = assistant
        self._models = models
        self._daemon = daemon
        self._watch = watch
        self._before: Pcm | None = None
        self._due_s = 0.0
        self._shown: tuple[object, ...] = ()

    def hear(self, pcm: Pcm) -> None:
        """Show int16 [n] that the assistant is about to hear.

        Each piece is shown when the next one comes: only then are its scores known.
        """
        if self._before is not None:
            scores = self._assistant.latest_scores
            self._board.sound(self._before, scores, at_s=self._assistant.now_s)
        self._before = pcm

    def event(self, event: Event) -> None:
        """Show an event, a translation with what each of its words looked at."""
        self._board.event({**event.to_fields(), "unix_s": round(time.time(), 3)})
        if not isinstance(event, Translation):
            return
        result = self._assistant.translations.get(event.language)
        if result is None or result.text != event.text:
            return
        fields = attention_fields(
            event.language, result.source_tokens, result.tokens, result.attention
        )
        if fields is not None:
            self._board.attention({**fields, "session": event.session})

    def tick(self, broker: str) -> None:
        """Show the state once a second, and at once when it changes."""
        now_s = time.monotonic()
        state = (self._daemon.state, self._daemon.source.condition, self._daemon.live, broker)
        if now_s < self._due_s and state == self._shown:
            return
        self._due_s, self._shown = now_s + _STATUS_S, state
        self._board.status({**self._status(), "broker": broker})

    def command(self, name: str, body: bytes) -> Command:
        """Return a checked command. Raises CommandError. Any thread may call."""
        if name not in _COMMANDS:
            raise CommandError(f"unknown command {name[:40]!r}; known: {', '.join(_COMMANDS)}")
        command = parse_command(name, body, max_audio_bytes=0)
        if isinstance(command, SetCommand):
            changes = with_thresholds(command.changes, self._models.wake)
            change(self._daemon.live, changes, self._models.translators)
        if name == "listen" and self._daemon.live.muted:
            raise CommandError("muted; open the microphone first")
        return command

    def _status(self) -> dict[str, Any]:
        live, source = self._daemon.live, self._daemon.source
        settings: dict[str, Any] = live.to_fields()
        settings["hints"] = settings["hints"][:_SHOWN_HINTS]
        return {
            "site": self._site,
            "version": __version__,
            "state": self._daemon.state,
            "microphone": source.condition,
            "microphone_detail": source.detail,
            "settings": settings,
            "hints": len(live.hints),
            "thresholds": self._thresholds(live.words),
            "languages": sorted(self._models.translators),
            "metrics": self._watch.fields(),
        }

    def _thresholds(self, words: Mapping[str, Any]) -> dict[str, float]:
        """Return the score that wakes for each word that is on."""
        own = self._models.wake.thresholds
        return {
            name: own[name] if word.threshold is None else word.threshold
            for name, word in words.items()
            if word.on
        }
