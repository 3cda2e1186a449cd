"""The worker's loop: sound in, events out, commands in between, and a watch over all of it.

One thread calls `step` again and again. The assistant stays pure; clocks, files and the broker
are met here.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from edgeasr import __version__
from edgeasr.announcer import Announcer
from edgeasr.assistant import Assistant
from edgeasr.capture import Chunk, LiveSource
from edgeasr.commands import SetCommand
from edgeasr.config import Config
from edgeasr.errors import CommandError, ConfigError
from edgeasr.events import Event
from edgeasr.jobs import Recordings
from edgeasr.kept import keep
from edgeasr.live import LiveSettings, change
from edgeasr.loading import Models
from edgeasr.memory import trim_heap
from edgeasr.sensitivity import with_thresholds
from edgeasr.stats import StageTimes

__all__ = ["Daemon"]

_LOG = logging.getLogger(__name__)
_LATE_S = 1.0  # backlog from which partials are no longer sent
_OVERLOADED = 0.5  # share of the sound queue from which commands wait
_ENDS = frozenset({"transcript", "no_speech"})
_MOST_FAILURES = 5  # in a row, before the process gives up and is started anew


class Daemon:
    """The assistant with its source, settings and publisher."""

    def __init__(
        self,
        config: Config,
        *,
        assistant: Assistant,
        models: Models,
        source: LiveSource,
        live: LiveSettings,
        announcer: Announcer,
    ) -> None:
        self.source = source
        self.live = live
        self.stages = StageTimes()
        self.recorder = announcer.recorder
        self.chunks = 0
        """Pieces of sound that went through the assistant"""
        self.gaps = 0
        self.announcer = announcer
        self.on_sound: Callable[[Chunk], None] = lambda _chunk: None
        """Hears all sound, before the assistant, in the worker"""
        self._config = config
        self._assistant = assistant
        self._models = models
        self._publisher = announcer.publisher
        self._recordings = Recordings(models, assistant, self.stages)
        self._failures = 0
        self._was_lost = False
        self._shown: dict[str, Any] = {}
        self._attends = True

    @property
    def now_s(self) -> float:
        """Stream time."""
        return self._assistant.now_s

    @property
    def state(self) -> str:
        """idle, listening, recognising (a recording that a command brought) or muted."""
        if self._recordings.active:
            return "recognising"
        if self.announcer.arbiter.deciding:
            return "idle"  # perhaps another site will listen
        return "muted" if self.live.muted else self._assistant.state

    @property
    def overloaded(self) -> bool:
        """Whether sound waits for so long that commands must wait too."""
        return self.source.backlog_s > _OVERLOADED * self._config.audio.queue_s

    def begin(self) -> None:
        """Apply the settings and open the source. Raises ConfigError."""
        self.apply(self.live)
        if not self.live.muted:
            self.source.start()
        self.show()

    def step(self, timeout_s: float) -> bool:
        """Take one piece of sound, if it comes in time; False when the sound has ended."""
        chunk = self.source.read(timeout_s)
        if chunk is not None:
            self._hear(chunk)
        elif self.source.condition == "lost":
            self._lose()
        if self.announcer.arbiter.deciding:
            self.emit([])
        self.show()
        return self.source.condition != "ended"

    def end(self) -> None:
        """Say what can still be said of the sound, and close the source."""
        self.emit(self._assistant.finish())
        self.announcer.end()
        if self.source.condition != "ended":
            self.source.stop()

    def show(self) -> None:
        """Publish the state when it has changed."""
        fields = {
            "state": self.state,
            "microphone": self.source.condition,
            "microphone_detail": self.source.detail,
            "broker": self._publisher.broker,
            "recorder": self.recorder.on,
            "version": __version__,
        }
        if fields != self._shown:
            self._shown = fields
            self._publisher.state(fields)

    def emit(self, events: Iterable[Event], *, request: str | None = None) -> None:
        """Tell events; drop the utterance when it turns out that another site answers."""
        late = self.source.backlog_s > _LATE_S
        if self.announcer.tell(events, request=request, late=late) is not None:
            self._assistant.cancel()

    def apply(self, live: LiveSettings) -> None:
        """Put settings in force and tell them. Raises ConfigError, and changes nothing."""
        settings = live.for_assistant()
        self._assistant.apply(settings if self._attends else replace(settings, words={}))
        muted, self.live = self.live.muted, live
        if live.recorder != self.recorder.on:
            self.recorder.switch(on=live.recorder)
        if live.muted and not muted:
            self.emit(self._assistant.cancel())
            self.source.stop()
        elif muted and not live.muted:
            self._assistant.reset()
            self.source.start()
        self._publisher.settings(live.to_fields())

    def listen(self) -> list[Event]:
        """Start listening. Raises CommandError when muted."""
        if self.live.muted:
            raise CommandError("muted; send false to command/mute first")
        return self._assistant.listen()

    def stop(self) -> list[Event]:
        """End the utterance and recognise it."""
        return self._assistant.stop()

    def cancel(self) -> list[Event]:
        """End the utterance and drop it."""
        return self._assistant.cancel()

    def mute(self, *, on: bool) -> None:
        """Close or open the microphone; the choice outlives a restart."""
        self.change(SetCommand(changes={"muted": on}, persist=True))

    def attend(self, *, on: bool) -> None:
        """Take notice of wake words, or of none until told again."""
        self._attends = on
        self.apply(self.live)

    def change(self, command: SetCommand) -> dict[str, Any]:
        """Change live settings; return those in force. Raises CommandError."""
        changes = with_thresholds(command.changes, self._models.wake)
        live = change(self.live, changes, self._models.translators)
        try:
            self.apply(live)
        except ConfigError as error:
            raise CommandError(str(error)) from error
        if command.persist:
            try:
                keep(self._config.state.path() / "settings.json", command.changes)
            except OSError as error:
                raise CommandError(f"set, but not kept over a restart: {error}") from error
        return live.to_fields()

    def translate(self, text: str, targets: tuple[str, ...]) -> list[Event]:
        """Translate a text. Raises TextError or ConfigError."""
        with self.stages.timed("translate"):
            return [
                self._assistant.translate(text, target) for target in targets or self.live.targets
            ]

    def understand(self, text: str) -> list[Event]:
        """Find the intent of a text. Raises CommandError when nothing is loaded for it."""
        understander = self._models.understander
        if understander is None:
            raise CommandError("no intents are loaded")
        return [understander.event(text, at_s=self.now_s, session=None)]

    def transcribe(self, audio: bytes) -> Iterator[Iterable[Event]]:
        """Recognise a recording in steps. Raises AudioError."""
        return self._recordings.recognise(audio, self.show)

    def label(self, kind: str, text: str | None) -> str:
        """Label the last recording; return its name. Raises CommandError."""
        return self.recorder.label(kind, text)

    def _hear(self, chunk: Chunk) -> None:
        self._was_lost = False
        self.gaps += chunk.gap
        self.recorder.hear(chunk.pcm)
        self.on_sound(chunk)
        try:
            with self.stages.timed(self._assistant.state):
                events = self._assistant.push(chunk.pcm)
            self._failures = 0
        except Exception as error:
            self._failures += 1
            if self._failures >= _MOST_FAILURES:
                raise
            _LOG.exception("the assistant failed; it starts afresh")
            self.emit(self._assistant.cancel())
            self._assistant.reset()
            self._publisher.error("assistant", str(error), at_s=self.now_s)
            return
        self.chunks += 1
        self.emit(events)
        if any(event.NAME in _ENDS for event in events):
            trim_heap()  # what the search took, while nobody waits
        if self.recorder.on:
            thresholds = self.live.thresholds(self._models.wake.thresholds)
            self.recorder.scores(self._assistant.latest_scores, thresholds)

    def _lose(self) -> None:
        """End the utterance when its microphone is lost; once per loss."""
        if self._was_lost:
            return
        self._was_lost = True
        self.emit(self._assistant.finish())
        self._publisher.error("microphone", self.source.detail, at_s=self.now_s)

    def reload(self, live: LiveSettings) -> None:
        """Put newly read settings in force, the mute switch as it is. Raises EdgeasrError."""
        self.apply(replace(live, muted=self.live.muted))
